import type { Sql } from '@delivery/platform/postgres';
import type { LogMessage, RecordOutcome } from './topic-recorder';

/**
 * Which organizations exist. Known ones are remembered for good (organizations are never deleted); unknown ones are
 * asked for again with each batch, since they may just have been made.
 */
export class KnownOrganizations {
  private readonly known = new Set<string>();

  /** @returns those of the given ids that are no organization. */
  async unknownOf(sql: Sql, ids: Iterable<string>): Promise<Set<string>> {
    const open = new Set([...ids].filter((id) => !this.known.has(id)));
    if (open.size === 0) return open;
    const rows = await sql.query<{ organization_id: string }>(
      'SELECT organization_id FROM organization WHERE organization_id = ANY($1)',
      [[...open]],
    );
    for (const { organization_id: id } of rows) {
      this.known.add(id);
      open.delete(id);
    }
    return open;
  }
}

/** The rejection of a message whose organization does not exist. */
export function rejectUnknownOrganization(
  message: LogMessage,
  organizationId: string,
): RecordOutcome['rejected'][number] {
  const sentence = `There is no organization "${organizationId}". Create it, or correct organization_id.`;
  const reason = { field: 'organization_id', code: 'unknown_organization', message: sentence };
  return { message, organizationId, reasons: [reason] };
}
