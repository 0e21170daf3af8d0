import type { LogMessage } from './topic-recorder';

/**
 * Messages of one partition in their order, with times of arrival that never go back: a message that a broker's clock
 * dates before one that it followed arrived when that one did. What a time has passed in a partition stays passed.
 * @param since - arrival of the last message before them
 */
export function inOrderOfArrival(messages: readonly LogMessage[], since: Date | undefined): LogMessage[] {
  let latest = since;
  return messages.map((message) => {
    if (latest !== undefined && message.appendedAt < latest) return { ...message, arrivedAt: latest };
    latest = message.appendedAt;
    return message;
  });
}
