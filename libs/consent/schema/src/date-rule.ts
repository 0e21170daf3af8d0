import type { Reason } from './reasons';

/**
 * What is wrong with a date of the right form. Any clock's time is taken as data, within the years that ISO 8601, files
 * and databases write alike.
 */
export function dateFaults(field: string, text: string | null | undefined): Reason[] {
  if (!text) return [];
  if (!isDate(text)) {
    return [{ field, code: 'no_such_date', message: `${field} must be a date and time that exist.` }];
  }
  if (text >= '1970' && text < '9999') return [];
  return [{ field, code: 'out_of_range', message: `${field} must lie between the years 1970 and 9998.` }];
}

function isDate(text: string): boolean {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return false;
  // Date.parse takes the 31st of a shorter month for the 1st of the next.
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day));
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}
