import { applyEvent, eventDocument, normalizeEvent, userDocument } from '@delivery/consent/domain';
import { consentEventsTopic } from '@delivery/consent/schema';
import { Accepts, ApiErrors } from '@delivery/platform/auth';
import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiSecurity, ApiTags } from '@nestjs/swagger';

/** A request that works as it stands. */
export const eventRequest = {
  id: 'choice-1',
  user: { organization_user_id: 'jane@example.org', organization_user_id_type: 'email' },
  consents: { purposes: [{ id: 'newsletter', enabled: true }], vendors: { enabled: ['google'] } },
};

const arrivedAt = Date.parse('2026-01-02T10:00:00.000Z');
const event = normalizeEvent(
  { ...eventRequest, organization_id: 'acme', source: 'api' },
  { clusterId: '', topic: consentEventsTopic, arrivedAt, position: { topicId: 1, partition: 0, epoch: 1, offset: 0n } },
);

/** What the platform makes of that request: examples written by the code that answers. */
export const eventSchema = {
  type: 'object',
  description: 'The event as it is stored and delivered; see docs/reference/delivered-line.schema.json for its fields.',
  example: JSON.parse(eventDocument(event, 1)) as object,
};
export const userSchema = {
  type: 'object',
  description: 'What the confirmed events of a user fold into; see docs/reference/delivered-line.schema.json.',
  example: JSON.parse(userDocument({ ...applyEvent(undefined, event), version: 1 })) as object,
};

/** A page of them: `cursor` goes into `$cursor` of the next request, and is null on the last page. */
export function pageSchema(item: object) {
  return {
    type: 'object',
    required: ['data', 'limit', 'cursor'],
    properties: {
      data: { type: 'array', items: item },
      limit: { type: 'integer', example: 100 },
      cursor: { type: 'string', nullable: true, example: null },
    },
  };
}

/** A result per item of an array, in its order. */
export const resultsSchema = {
  type: 'object',
  required: ['data'],
  properties: {
    data: {
      type: 'array',
      items: {
        type: 'object',
        required: ['index', 'status'],
        properties: {
          index: { type: 'integer' },
          status: { type: 'string', enum: ['accepted', 'refused'] },
          id: { type: 'string', description: 'Of an accepted event.' },
          errors: { type: 'array', description: 'Of a refused one.', items: { type: 'object' } },
        },
      },
      example: [
        { index: 0, status: 'accepted', id: 'choice-1' },
        {
          index: 1,
          status: 'refused',
          errors: [{ field: '1.status', message: 'status must be one of confirmed, pending_approval.' }],
        },
      ],
    },
  },
};

/** A controller of the consents API: how clients sign in, and what every route may answer. */
export function ConsentsController(tag: string): ClassDecorator {
  return applyDecorators(
    ApiTags(tag),
    ApiBearerAuth(),
    ApiSecurity('x-api-key'),
    Accepts('bearer-session', 'x-api-key'),
    ApiErrors(400, 401, 403, 503),
  );
}

/** A parameter that is a text. */
export function TextQuery(name: string, description: string, example?: string): MethodDecorator {
  return ApiQuery({ name, required: false, type: String, description, ...(example !== undefined && { example }) });
}

export function OrganizationQuery(): MethodDecorator {
  return TextQuery('organization_id', 'May be left out: it is the organization of the key.', 'acme');
}

/** The parameters of every list. */
export function PageQuery(): MethodDecorator {
  return applyDecorators(
    OrganizationQuery(),
    ApiQuery({ name: '$limit', required: false, schema: { type: 'integer', default: 100, minimum: 1, maximum: 100 } }),
    TextQuery('$cursor', 'The cursor of the page before; null there means it was the last.'),
  );
}
