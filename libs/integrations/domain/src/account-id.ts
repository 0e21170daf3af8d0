/** Twelve digits identify an AWS account; the contract's own sample has ten (contracts.md D-3). */
const SHAPE = /^[0-9]{10,12}$/;

export type AccountId =
  /** `accountId` has 12 digits; `warning` is a sentence for the client when some had to be added. */
  { accountId: string; warning: string | undefined } | { fault: string };

/**
 * The 12-digit form of an AWS account id: 10 to 12 digits are accepted, zeros are added on the left.
 * An id that lost its leading zeros (in a spreadsheet, say) works; any other mistake shows in the warning.
 */
export function parseAccountId(value: string): AccountId {
  if (!SHAPE.test(value)) {
    return { fault: 'must be your AWS account id: 12 digits, without spaces or dashes' };
  }
  const accountId = value.padStart(12, '0');
  if (accountId === value) return { accountId, warning: undefined };
  return {
    accountId,
    warning:
      `account_id '${value}' has ${value.length} digits and an AWS account id has 12: it is used as '${accountId}'. ` +
      'If that is not your account, change authentication.account_id.',
  };
}
