import { RunFault } from '../errors';
import { cmpHourlyMetrics } from './cmp-hourly-metrics/cmp-hourly-metrics';
import { consentEvents } from './consent-events/consent-events';
import { consentUsers } from './consent-users/consent-users';
import type { Content } from './content';

const CONTENTS: ReadonlyMap<string, Content> = new Map(
  [consentUsers, consentEvents, cmpHourlyMetrics].map((content) => [content.name, content]),
);

/** @throws RunFault `spec_unsupported` */
export function contentOf(name: string): Content {
  const content = CONTENTS.get(name);
  if (content === undefined) throw new RunFault('spec_unsupported', `This version cannot deliver "${name}".`);
  return content;
}
