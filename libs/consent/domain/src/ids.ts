import { v5, v7 } from 'uuid';

/** Root of all namespaces of this platform; changing it would change every derived id. */
const root = '6f0c2a58-9d3b-5e57-8a43-0d9c7e1b4f26';

/** A new event's id, given at acceptance to a REST event without one. */
export function newEventId(): string {
  return v7();
}

/** The id of a Kafka event that came without one: a replay of the same log gives the same id. */
export function eventIdFromPosition(at: {
  clusterId: string;
  topic: string;
  epoch: number;
  partition: number;
  offset: bigint;
}): string {
  return v5(JSON.stringify([at.clusterId, at.topic, at.epoch, at.partition, at.offset.toString()]), root);
}

/**
 * The id of a user who came without one: derived from the customer's own id for him, in the organization's namespace
 * (contracts D-21); from the event where nobody knows him, so that a replay gives the same user.
 */
export function derivedUserId(organizationId: string, organizationUserId: string | undefined, eventId: string): string {
  const name = organizationUserId === undefined ? ['event', eventId] : ['organization_user_id', organizationUserId];
  return v5(JSON.stringify(name), namespaceOf(organizationId));
}

let latest = { organizationId: '', namespace: '' };

/** Events come in runs of one organization: the last namespace is kept. */
function namespaceOf(organizationId: string): string {
  if (latest.organizationId !== organizationId) latest = { organizationId, namespace: v5(organizationId, root) };
  return latest.namespace;
}
