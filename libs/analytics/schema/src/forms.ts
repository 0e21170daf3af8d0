import { SETTINGS_ID } from '@delivery/analytics/domain';
import { form, forms as consentForms } from '@delivery/consent/schema';

const { organizationId, eventId, plainText, country, regulation, date } = consentForms;

export const forms = {
  organizationId,
  interactionId: eventId,
  plainText,
  country,
  regulation,
  date,
  settingsId: form(SETTINGS_ID, '1 to 64 letters, digits, "_", "." or "-"'),
  templateId: form(/^[A-Za-z0-9_.:-]{1,128}$/, '1 to 128 letters, digits, "_", ".", ":" or "-"'),
} as const;
