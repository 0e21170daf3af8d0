import { DatabaseError, type Sql } from '@delivery/platform/postgres';
import { RecordedEvents } from './recorded-events';

/** A database whose recorder has passed everything, and which holds what it is told. */
function sql(answers: { event?: () => unknown[]; rejection?: unknown[] }): Sql {
  return {
    query: async <R>(text: string) => {
      if (text.includes('consent_event_head')) return (answers.event?.() ?? []) as R[];
      if (text.includes('FROM ingest_rejection')) return (answers.rejection ?? []) as R[];
      return [
        { topic: 'events', partition: 0, first_offset: '0', next_offset: '9', fingerprint_offset: null, ...counters },
      ] as R[];
    },
  };
}
const counters = { recorded: '9', duplicates: '0', rejected: '0', suppressed: '0', control: '0' };

const find = (database: Sql, timeoutMs = 5000) =>
  new RecordedEvents(database, 'consent', 'events').find(
    { id: 'e', organization_id: 'acme' },
    { partition: 0, offset: 3n },
    timeoutMs,
  );

describe('what became of an accepted event', () => {
  it('is the stored event', async () => {
    await expect(find(sql({ event: () => [{ event_document: '{}' }] }))).resolves.toBe('{}');
  });

  it('is an error only where it was rejected', async () => {
    await expect(find(sql({ rejection: [{}] }))).rejects.toThrow(/refused when it was to be recorded/);
    await expect(find(sql({}))).resolves.toBeUndefined(); // the log was recreated: it stands below the old position
  });

  it('is unknown when the database fails: the event is in the log', async () => {
    const event = () => {
      throw new DatabaseError('unavailable', 'gone', undefined);
    };
    await expect(find(sql({ event }))).resolves.toBeUndefined();
  });

  it('is told in time while the database does not answer', async () => {
    await expect(find({ query: () => new Promise(() => undefined) }, 5)).resolves.toBeUndefined();
  });
});
