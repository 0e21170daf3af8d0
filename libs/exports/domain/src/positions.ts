import { ExportFault } from './errors';

/** A place in one partition's log: the next offset to be recorded, within one life (`epoch`) of the topic. */
export interface Position {
  readonly epoch: number;
  readonly offset: bigint;
}

/**
 * A vector: topic name -> partition -> position. What it does not name is at {@link BEGINNING}. Vectors are compared
 * component by component, because partitions advance independently of each other.
 */
export type Positions = Readonly<Record<string, Readonly<Record<number, Position>>>>;

/** How a vector is stored in rows and manifests; offsets are decimal strings, since JSON numbers end at 2^53. */
export type PositionsJson = Record<string, Record<string, { epoch: number; offset: string }>>;

export interface PartitionPosition extends Position {
  readonly topic: string;
  readonly partition: number;
}

/** Before everything that was ever recorded. */
export const BEGINNING: Position = Object.freeze({ epoch: 0, offset: 0n });

const MAX_OFFSET = 2n ** 63n - 1n;
const MAX_INT = 2 ** 31 - 1;

/** -1, 0 or 1. A later epoch is further than any offset of an earlier one. */
export function comparePosition(a: Position, b: Position): -1 | 0 | 1 {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.offset === b.offset) return 0;
  return a.offset < b.offset ? -1 : 1;
}

export function positionIn(positions: Positions, topic: string, partition: number): Position {
  const partitions = Object.hasOwn(positions, topic) ? positions[topic] : undefined;
  return partitions?.[partition] ?? BEGINNING;
}

/** The components of a vector, sorted by topic and partition; components at the beginning are left out. */
export function listPositions(positions: Positions): PartitionPosition[] {
  return Object.entries(positions)
    .flatMap(([topic, partitions]) =>
      Object.entries(partitions).map(([partition, position]) => ({ topic, partition: Number(partition), ...position })),
    )
    .filter((position) => comparePosition(position, BEGINNING) !== 0)
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

/** A vector from its components; of several for one partition the furthest counts. */
export function toPositions(components: Iterable<PartitionPosition>): Positions {
  const topics = new Map<string, Map<number, Position>>();
  for (const { topic, partition, epoch, offset } of components) {
    const partitions = topics.get(topic) ?? new Map<number, Position>();
    topics.set(topic, partitions);
    const known = partitions.get(partition) ?? BEGINNING;
    partitions.set(partition, comparePosition(known, { epoch, offset }) < 0 ? { epoch, offset } : known);
  }
  // fromEntries defines own properties, so that no topic name can reach the prototype.
  return Object.fromEntries([...topics].map(([topic, partitions]) => [topic, Object.fromEntries(partitions)]));
}

/** The furthest of both, component by component. */
export function furthest(a: Positions, b: Positions): Positions {
  return toPositions([...listPositions(a), ...listPositions(b)]);
}

/** Whether `positions` is at or beyond `target` in every component. */
export function hasReached(positions: Positions, target: Positions): boolean {
  return behind(positions, target).length === 0;
}

/** The components in which `positions` has not reached `target`. */
export function behind(positions: Positions, target: Positions): { at: Position; target: PartitionPosition }[] {
  return listPositions(target)
    .map((component) => ({ at: positionIn(positions, component.topic, component.partition), target: component }))
    .filter(({ at, target: component }) => comparePosition(at, component) < 0);
}

export function samePositions(a: Positions, b: Positions): boolean {
  return hasReached(a, b) && hasReached(b, a);
}

/** The stored form: sorted, so that equal vectors are equal texts. */
export function formatPositions(positions: Positions): PositionsJson {
  const json = new Map<string, [string, { epoch: number; offset: string }][]>();
  for (const { topic, partition, epoch, offset } of listPositions(positions)) {
    const entry: [string, { epoch: number; offset: string }] = [String(partition), { epoch, offset: String(offset) }];
    json.set(topic, [...(json.get(topic) ?? []), entry]);
  }
  return Object.fromEntries([...json].map(([topic, entries]) => [topic, Object.fromEntries(entries)]));
}

/** @throws ExportFault `invalid_positions` naming the component */
export function parsePositions(json: unknown): Positions {
  const components: PartitionPosition[] = [];
  for (const [topic, partitions] of entriesOf(json, 'positions')) {
    for (const [partition, position] of entriesOf(partitions, topic)) {
      components.push({ topic, partition: parsePartition(topic, partition), ...parsePosition(topic, position) });
    }
  }
  return toPositions(components);
}

function parsePartition(topic: string, text: string): number {
  const partition = Number(text);
  if (!/^(0|[1-9]\d*)$/.test(text) || partition > MAX_INT) throw invalid(`${topic}: "${text}" is not a partition`);
  return partition;
}

function parsePosition(topic: string, json: unknown): Position {
  const { epoch, offset } = Object.fromEntries(entriesOf(json, topic));
  if (typeof epoch !== 'number' || !Number.isInteger(epoch) || epoch < 0 || epoch > MAX_INT) {
    throw invalid(`${topic}: the epoch must be a whole number from 0`);
  }
  if (typeof offset !== 'string' || !/^(0|[1-9]\d*)$/.test(offset) || BigInt(offset) > MAX_OFFSET) {
    throw invalid(`${topic}: the offset must be a decimal string`);
  }
  return { epoch, offset: BigInt(offset) };
}

function entriesOf(json: unknown, what: string): [string, unknown][] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(`${what} must be an object`);
  return Object.entries(json);
}

function invalid(message: string): ExportFault {
  return new ExportFault('invalid_positions', `Not a position vector: ${message}.`);
}
