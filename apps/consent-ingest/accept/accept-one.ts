import { badRequest, type Principal, requireOrganization } from '@delivery/platform/auth';
import type { PublishedAt } from '@delivery/platform/kafka';
import type { Accepted, AcceptMessages, Message } from './accept-messages';
import type { Query } from './queries';
import type { Tally } from './tally';

/**
 * Accepts the body of a request as one message.
 * @returns it, and where Kafka put it
 * @throws 400 with every field that is wrong, 403 for another organization than the key's
 */
export async function acceptOne<T extends Message>(
  accept: AcceptMessages<T>,
  tally: Tally,
  body: unknown,
  principal: Principal,
  query: Query,
): Promise<{ message: Accepted<T>['message']; at: PublishedAt | undefined }> {
  const checked = accept.check(body, requireOrganization(principal, query, body));
  if (!checked.ok) {
    tally.refused(checked.reasons[0]?.code ?? 'invalid');
    throw badRequest(
      `The ${accept.intake.one} is not valid.`,
      checked.reasons.map(({ field, message }) => ({ field, message })),
    );
  }
  const [at] = await accept.publish([checked]);
  tally.accepted(1);
  return { message: checked.message, at };
}
