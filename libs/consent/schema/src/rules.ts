import type { ConsentEventInput, Json } from '@delivery/consent/domain';
import { reasonLimit, type Reason } from './reasons';

const metadataBytes = 16_384;
const metadataDepth = 8;

/** Rules that no single field's schema can say; the same for both ways of validation. */
export function eventRules(event: ConsentEventInput): Reason[] {
  const reasons: Reason[] = [];
  if (event.created_at && !isDate(event.created_at)) {
    reasons.push({ field: 'created_at', code: 'no_such_date', message: 'created_at must be a date that exists.' });
  }
  const vendors = event.consents?.vendors;
  contradiction(reasons, 'consents.vendors.enabled', vendors?.enabled, vendors?.disabled);
  contradiction(reasons, 'consents.vendors.enabled_li', vendors?.enabled_li, vendors?.disabled_li);
  freeform(reasons, 'metadata', event.metadata);
  freeform(reasons, 'validation', event.validation);
  freeform(reasons, 'user.metadata', event.user?.metadata);
  freeform(reasons, 'delegate.metadata', event.delegate?.['metadata']);
  return reasons.slice(0, reasonLimit);
}

function isDate(text: string): boolean {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return false;
  // Date.parse takes the 31st of a shorter month for the 1st of the next.
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day));
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}

function contradiction(
  reasons: Reason[],
  field: string,
  yes: readonly string[] | null | undefined,
  no: readonly string[] | null | undefined,
): void {
  if (!yes?.length || !no?.length) return;
  const refused = new Set(no);
  const both = yes.find((vendor) => refused.has(vendor));
  if (both === undefined) return;
  reasons.push({ field, code: 'contradiction', message: `${field} and its disabled twin both name vendor "${both}".` });
}

function freeform(reasons: Reason[], field: string, value: Json | undefined): void {
  if (value === null || value === undefined) return;
  if (deeperThan(value, metadataDepth)) {
    reasons.push({ field, code: 'too_deep', message: `${field} may have at most ${metadataDepth} levels.` });
  } else if (JSON.stringify(value).length > metadataBytes) {
    reasons.push({
      field,
      code: 'too_large',
      message: `${field} may have at most ${metadataBytes} characters as JSON.`,
    });
  }
}

function deeperThan(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => deeperThan(inner, levels - 1));
}
