import { setImmediate } from 'node:timers/promises';
import {
  ApiException,
  badRequest,
  type FieldError,
  type Principal,
  requireOrganization,
} from '@delivery/platform/auth';
import { type AcceptMessages, type Checked, type Message, refused } from './accept-messages';
import type { Query } from './queries';
import type { Tally } from './tally';

/** What became of one item of an array, in the order of the array. */
export type ItemResult =
  { index: number; status: 'accepted'; id: string } | { index: number; status: 'refused'; errors: FieldError[] };

/** Checked before other requests have their turn: half a millisecond's work. */
const itemsAtOnce = 16;

/**
 * Accepts the good items of an array; each refused one is told why, and may be sent again alone.
 * @throws 400 when no item is good, or there are none, or too many.
 */
export async function acceptMany<T extends Message>(
  accept: AcceptMessages<T>,
  tally: Tally,
  items: readonly unknown[],
  principal: Principal,
  query: Query,
): Promise<{ status: 200 | 207; results: ItemResult[] }> {
  const { many, maxItems } = accept.intake;
  if (items.length === 0) throw badRequest(`The array is empty: send 1 to ${maxItems} ${many}.`);
  if (items.length > maxItems)
    throw badRequest(`The array has ${items.length} ${many}: send at most ${maxItems} at a time.`);
  const checked: Checked<T>[] = [];
  for (const item of items) {
    if (checked.length % itemsAtOnce === itemsAtOnce - 1) await setImmediate();
    checked.push(checkItem(accept, item, principal, query));
  }
  for (const item of checked) if (!item.ok) tally.refused(item.reasons[0]?.code ?? 'invalid');
  const good = checked.filter((item) => item.ok);
  if (good.length === 0) throw badRequest(`None of the ${many} is valid.`, checked.flatMap(errorsAt));
  await accept.publish(good);
  tally.accepted(good.length);
  const results = checked.map((item, index): ItemResult =>
    item.ok
      ? { index, status: 'accepted', id: item.message.id }
      : { index, status: 'refused', errors: errorsAt(item, index) },
  );
  return { status: good.length === items.length ? 200 : 207, results };
}

/** An item of another organization than the key's is refused, as any other fault of one item, without the others. */
function checkItem<T extends Message>(
  accept: AcceptMessages<T>,
  item: unknown,
  principal: Principal,
  query: Query,
): Checked<T> {
  const organizationId = requireOrganization(principal, query);
  try {
    return accept.check(item, requireOrganization(principal, query, item));
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    const message = `organization_id must be ${organizationId}, that of the API key, or left out.`;
    return refused([{ field: 'organization_id', code: 'not_allowed', message }]);
  }
}

function errorsAt<T>(item: Checked<T>, index: number): FieldError[] {
  return item.ok
    ? []
    : item.reasons.map(({ field, message }) => ({ field: field === '' ? `${index}` : `${index}.${field}`, message }));
}
