/** What `node --cpu-prof` writes (the DevTools protocol's Profiler.Profile). */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  /** Node of each sample, and microseconds since the one before. */
  samples: number[];
  timeDeltas: number[];
}

type Frame = CpuProfile['nodes'][number]['callFrame'];

/** The first that a frame, or else one of its callers, fits says what the time was spent on. */
const subjects: readonly (readonly [subject: string, fits: (frame: Frame) => boolean])[] = [
  ['garbage collection', named('(garbage collector)')],
  ['parse and validate', named('parseMessage', 'validate')],
  ['fold onto the state', named('normalizeEvent', 'foldUser', 'applyEvent')],
  ["read the users' documents", named('parseUserDocument')],
  ['write the documents', named('userDocument', 'eventDocument')],
  [
    'shape rows and parameters',
    named('claimIds', 'copyRevisions', 'lockUsers', 'insertUsers', 'updateUsers', 'pieces'),
  ],
  ['Kafka client', from('/kafkajs/', '/zlib')],
  ['Postgres client', from('/pg/', '/pg-protocol/', '/pg-copy-streams/', '/pg-pool/')],
];

const rest = 'everything else';
/** Before and after it, the process starts and waits. */
const worked = 'parse and validate';

/** CPU milliseconds by what they were spent on, from the first work to the last; idle time is left out. */
export function timeBySubject({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const subjectOf = subjectsOf(nodes);
  const begin = samples.findIndex((id) => subjectOf.get(id) === worked);
  const end = samples.findLastIndex((id) => subjectOf.get(id) === worked);
  const spent = new Map<string, number>();
  for (let i = begin; i <= end; i += 1) {
    const subject = subjectOf.get(samples[i] ?? 0);
    if (subject !== undefined) spent.set(subject, (spent.get(subject) ?? 0) + (timeDeltas[i] ?? 0) / 1000);
  }
  return spent;
}

/** Of each node; none for idle ones. */
function subjectsOf(nodes: CpuProfile['nodes']): Map<number, string> {
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
  const subjectOf = new Map<number, string>();
  for (const node of nodes) {
    if (node.callFrame.functionName === '(idle)') continue;
    let subject = rest;
    for (let at: typeof node | undefined = node; at !== undefined && subject === rest; at = parents.get(at.id)) {
      const { callFrame } = at;
      subject = subjects.find(([, fits]) => fits(callFrame))?.[0] ?? rest;
    }
    subjectOf.set(node.id, subject);
  }
  return subjectOf;
}

function named(...names: string[]) {
  return ({ functionName }: Frame) => names.includes(functionName);
}

function from(...parts: string[]) {
  return ({ url }: Frame) => parts.some((part) => url.includes(part));
}
