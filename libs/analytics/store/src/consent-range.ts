/** One life of a partition's log, as far as it is recorded. */
export interface RecordedEpoch {
  readonly epoch: number;
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
}

/** Up to where a partition's consents are counted. */
export interface RollupPlace {
  readonly epoch: number;
  readonly nextOffset: bigint;
}

export interface ConsentRange {
  readonly epoch: number;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The next offsets to count: of one epoch, and no more than `limit` of them.
 * @param epochs - all of a partition's, ascending
 * @param place - undefined: nothing was counted yet
 * @returns undefined when all that is recorded is counted
 */
export function nextRange(
  epochs: readonly RecordedEpoch[],
  place: RollupPlace | undefined,
  limit: number,
): ConsentRange | undefined {
  for (const { epoch, firstOffset, nextOffset } of epochs) {
    if (place !== undefined && epoch < place.epoch) continue;
    const from = place?.epoch === epoch ? place.nextOffset : firstOffset;
    const to = from + BigInt(limit) < nextOffset ? from + BigInt(limit) : nextOffset;
    if (from < to) return { epoch, from, to };
  }
  return undefined;
}

/** Offsets that are recorded and not counted. */
export function offsetsBehind(epochs: readonly RecordedEpoch[], place: RollupPlace | undefined): bigint {
  return epochs.reduce((sum, { epoch, firstOffset, nextOffset }) => {
    if (place !== undefined && epoch < place.epoch) return sum;
    const from = place?.epoch === epoch ? place.nextOffset : firstOffset;
    return sum + (nextOffset > from ? nextOffset - from : 0n);
  }, 0n);
}
