import type { ConsentEventInput, Json } from '@delivery/consent/domain';
import { dateFaults } from './date-rule';
import type { Reason } from './reasons';

const metadataCharacters = 16_384;
const metadataDepth = 8;

/** Rules that no single field's schema can say; the same for both ways of validation. */
export function eventRules(event: ConsentEventInput): Reason[] {
  const reasons = dateFaults('created_at', event.created_at);
  const vendors = event.consents?.vendors;
  contradiction(reasons, 'consents.vendors.enabled', vendors?.enabled, vendors?.disabled);
  contradiction(reasons, 'consents.vendors.enabled_li', vendors?.enabled_li, vendors?.disabled_li);
  freeform(reasons, 'metadata', event.metadata);
  freeform(reasons, 'validation', event.validation);
  freeform(reasons, 'user.metadata', event.user?.metadata);
  freeform(reasons, 'delegate.metadata', event.delegate?.['metadata']);
  return reasons;
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
  const fault = faultIn(value, metadataDepth);
  if (fault === 'too_deep') {
    reasons.push({ field, code: fault, message: `${field} may have at most ${metadataDepth} levels.` });
  } else if (fault === 'out_of_range') {
    reasons.push({ field, code: fault, message: `${field} holds a number that is too large for a double.` });
  } else if (JSON.stringify(value).length > metadataCharacters) {
    const message = `${field} may have at most ${metadataCharacters} characters as JSON.`;
    reasons.push({ field, code: 'too_large', message });
  }
}

/** JSON.parse reads 1e400 as infinity, which would be delivered as null. */
function faultIn(value: Json, levels: number): 'too_deep' | 'out_of_range' | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'out_of_range';
  if (typeof value !== 'object' || value === null) return undefined;
  if (levels === 0) return 'too_deep';
  for (const inner of Object.values(value)) {
    const fault = faultIn(inner, levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
