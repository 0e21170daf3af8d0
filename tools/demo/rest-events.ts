import type { Ledger, WireEvent } from '../oracle';
import type { Client } from './client';

const batches = 4;
const perBatch = 50;

/** Events over REST, as arrays and alone; some are sent again, as a client does that got no answer. @returns how many */
export async function postEvents(client: Client, ingest: string, ledger: Ledger): Promise<number> {
  const url = `${ingest}/v1/consents/events?organization_id=${client.organization}`;
  const events = Array.from({ length: batches * perBatch }, (_, number) => restEvent(client.organization, number));
  const sent: WireEvent[] = [];
  const note = (event: WireEvent) => sent.push(ledger.event(event, 'rest').event ?? event);
  for (let batch = 0; batch < batches; batch += 1) {
    const some = events.slice(batch * perBatch, (batch + 1) * perBatch);
    some.forEach(note);
    await client.post(url, some);
  }
  const again = [...events.slice(0, 5), restEvent(client.organization, events.length)];
  for (const event of again) {
    note(event);
    await client.post(url, event);
  }
  return sent.length;
}

function restEvent(organization: string, number: number): WireEvent {
  return {
    id: `rest-${number}`,
    organization_id: organization,
    ...(number % 10 === 0 && { created_at: '2026-01-02T10:00:00Z' }),
    user: { organization_user_id: `rest-${number % 40}@example.com`, organization_user_id_type: 'email' },
    consents: { purposes: [{ id: 'newsletter', enabled: number % 3 !== 0 }] },
  };
}
