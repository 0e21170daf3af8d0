import { ApiErrors } from '@delivery/platform/auth';
import { applyDecorators } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { interactionIntake } from './intakes';
import { ArrayAnswers, BodyOfOneOrMany, JsonAnswer, OrganizationQuery, resultsSchema } from './open-api';

const of = { settings_id: 'shop-banner', platform: 'web', device_type: 'mobile', domain: 'shop.example.org' };
const from = { ...of, country: 'FR', browser: 'firefox', regulation: 'gdpr' };

/** Requests that work as they stand. */
export const interactionRequest = { id: 'shown-1', type: 'CMP_SHOWN', device_id: 'device-1', ...from };
export const decisionRequest = {
  id: 'decision-1',
  type: 'DECISION',
  device_id: 'device-1',
  ...from,
  action: 7,
  action_type: 'explicit',
  services: [
    { template_id: 'HkocEodjb7', name: 'Google Analytics', consent: 1 },
    { template_id: 'S1hmcVouiZm', name: 'Social plug-in', consent: 0 },
  ],
};

const interaction = { $ref: '#/components/schemas/Interaction' };
const refusal = {
  field: '1.action',
  message: 'action belongs to a DECISION only; leave it out of a PAGE_VIEW.',
};

/** What `POST /v1/consents/interactions` takes and answers. */
export function CreateInteractionsReference(): MethodDecorator {
  const { maxItems } = interactionIntake;
  return applyDecorators(
    ApiOperation({
      summary: `Send an interaction with a banner, or up to ${maxItems} of them`,
      description:
        'Banner events, page views, sessions and decisions, as they are also published to `consent.interactions.v1`. ' +
        'They are counted in hourly metrics and reports, by their time of arrival. Of two with one `id` within 24 hours ' +
        'the first counts.',
    }),
    OrganizationQuery(),
    BodyOfOneOrMany(interaction, maxItems, {
      one: { summary: 'A banner that was shown', value: interactionRequest },
      decision: { summary: 'A decision on services', value: decisionRequest },
      several: { summary: 'An array', value: [interactionRequest, decisionRequest] },
    }),
    JsonAnswer(202, 'Accepted and durable: the interaction with its id.', interaction, {
      ...interactionRequest,
      organization_id: 'acme',
    }),
    JsonAnswer(200, 'All items of the array were accepted.', resultsSchema, {
      data: [interactionRequest, decisionRequest].map(({ id }, index) => ({ index, status: 'accepted', id })),
    }),
    ArrayAnswers('shown-1', refusal),
    ApiErrors(413),
  );
}
