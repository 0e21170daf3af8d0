import { setTimeout as delay } from 'node:timers/promises';
import { type Ledger, readLog } from '../oracle';

const rejectedTopic = 'consent.events.rejected.v1';
const timeoutMs = 30_000;

/** Why the ledger's poison was rejected, by the copies in the rejected topic: a code with how many it had. */
export async function rejectionReasons(
  brokers: readonly string[],
  topicPrefix: string,
  ledger: Ledger,
): Promise<Record<string, number>> {
  const places = ledger.produced.flatMap(({ event, places }) => (event === undefined ? places : []));
  const wanted = new Set(places.map(({ epoch, partition, offset }) => `${epoch}/${partition}/${offset}`));
  // Copies follow the recording within moments; a copy may come twice.
  for (const deadline = Date.now() + timeoutMs; ; await delay(500)) {
    const found = new Map<string, string>();
    for (const { headers } of await readLog({ brokers, topic: `${topicPrefix}${rejectedTopic}` })) {
      const place = `${headers['rejected-epoch']}/${headers['rejected-partition']}/${headers['rejected-offset']}`;
      const reasons: { code: string }[] = JSON.parse(headers['rejected-reasons'] ?? '[]');
      if (wanted.has(place)) found.set(place, reasons[0]?.code ?? 'none');
    }
    if (found.size < wanted.size && Date.now() < deadline) continue;
    const counts: Record<string, number> = {};
    for (const code of [...found.values()].sort()) counts[code] = (counts[code] ?? 0) + 1;
    return counts;
  }
}
