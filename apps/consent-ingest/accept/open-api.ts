import { applyEvent, eventDocument, normalizeEvent, userDocument } from '@delivery/consent/domain';
import { consentEventsTopic } from '@delivery/consent/schema';
import { Accepts, ApiErrors } from '@delivery/platform/auth';
import { applyDecorators } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiHeader,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { eventIntake } from './intakes';

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

/** What is sent, and what the platform makes of it: examples written by the code that answers. */
export const consentEvent = { $ref: '#/components/schemas/ConsentEvent' };
export const eventSchema = { $ref: '#/components/schemas/StoredEvent' };
export const userSchema = { $ref: '#/components/schemas/StoredUser' };
export const eventExample = JSON.parse(eventDocument(event, 1)) as object;
export const userExample = JSON.parse(userDocument({ ...applyEvent(undefined, event), version: 1 })) as object;

/** A response of JSON with an example. */
export function JsonAnswer(status: number, description: string, schema: object, example: object): MethodDecorator {
  return ApiResponse({ status, description, content: { 'application/json': { schema, example } } });
}

/** A page of them: `cursor` goes into `$cursor` of the next request, and is null on the last page. */
export function PageAnswer(items: object, example: object): MethodDecorator {
  const schema = {
    type: 'object',
    required: ['data', 'limit', 'cursor'],
    properties: { data: { type: 'array', items }, limit: { type: 'integer' }, cursor: { type: ['string', 'null'] } },
  };
  return JsonAnswer(200, 'A page of them.', schema, { data: [example], limit: 100, cursor: null });
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
          id: { type: 'string', description: 'Of an accepted one.' },
          errors: {
            type: 'array',
            description: 'Of a refused one.',
            items: {
              type: 'object',
              required: ['field', 'message'],
              properties: { field: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
      },
    },
  },
};

/** What an array is answered with of which some items were refused. */
export function ArrayAnswers(acceptedId: string, refusal: { field: string; message: string }): MethodDecorator {
  return JsonAnswer(207, 'Some items of the array were refused.', resultsSchema, {
    data: [
      { index: 0, status: 'accepted', id: acceptedId },
      { index: 1, status: 'refused', errors: [refusal] },
    ],
  });
}

/** A body that is one thing or an array of them. */
export function BodyOfOneOrMany(
  schema: { $ref: string },
  maxItems: number,
  examples: Record<string, { summary: string; value: object }>,
): MethodDecorator {
  return ApiBody({
    schema: { oneOf: [schema, { type: 'array', minItems: 1, maxItems, items: schema }] },
    examples,
  });
}

/** A controller of the consents API: how clients sign in, and what every route may answer. */
export function ConsentsController(tag: string): ClassDecorator {
  return applyDecorators(
    ApiTags(tag),
    ApiBearerAuth(),
    ApiSecurity('x-api-key'),
    Accepts('bearer-session', 'x-api-key'),
    ApiErrors(400, 401, 403, 503, 'default'),
  );
}

/** A parameter that is a text. */
export function TextQuery(name: string, description: string, example?: string): MethodDecorator {
  return ApiQuery({ name, required: false, type: String, description, ...(example !== undefined && { example }) });
}

export function OrganizationQuery(): MethodDecorator {
  return TextQuery('organization_id', 'May be left out: it is the organization of the key.', 'acme');
}

/** What `POST /v1/consents/events` takes and answers. */
export function CreateEventsReference(): MethodDecorator {
  return applyDecorators(
    ApiOperation({ summary: `Record a consent event, or up to ${eventIntake.maxItems} of them` }),
    OrganizationQuery(),
    ApiQuery({
      name: '$disable_integrations',
      required: false,
      type: Boolean,
      description: 'Accepted; no integration is told of single events yet.',
    }),
    ApiQuery({ name: '$generate_tcfcs', required: false, type: Boolean, description: 'true is refused for now.' }),
    ApiHeader({
      name: 'Prefer',
      required: false,
      schema: { type: 'string', enum: ['respond-async'] },
      description: 'respond-async: a single event is answered 202 as soon as it is durable.',
    }),
    BodyOfOneOrMany(consentEvent, eventIntake.maxItems, {
      one: { summary: 'An event', value: eventRequest },
      several: { summary: 'An array', value: [eventRequest] },
    }),
    JsonAnswer(
      200,
      'The stored event; for an array, a result per item.',
      { oneOf: [eventSchema, resultsSchema] },
      eventExample,
    ),
    JsonAnswer(202, 'Accepted and durable, but not recorded yet; always with Prefer: respond-async.', consentEvent, {
      ...eventRequest,
      organization_id: 'acme',
      source: 'api',
    }),
    ArrayAnswers('choice-1', { field: '1.status', message: 'status must be one of confirmed, pending_approval.' }),
    ApiErrors(413),
  );
}

/** What asks for the whole tree, and so counts towards the limit of requests (contracts §1.2). */
export function FullTreeQuery(): MethodDecorator {
  return applyDecorators(
    ApiQuery({
      name: '$include_full_tree',
      required: false,
      type: Boolean,
      description: 'The tree is always whole; with true the request counts: 100 in 15 seconds per organization.',
    }),
    ApiErrors(429),
  );
}

/** The parameters of every list. */
export function PageQuery(): MethodDecorator {
  return applyDecorators(
    OrganizationQuery(),
    ApiQuery({ name: '$limit', required: false, schema: { type: 'integer', default: 100, minimum: 1, maximum: 100 } }),
    TextQuery('$cursor', 'The cursor of the page before; null there means it was the last.'),
  );
}
