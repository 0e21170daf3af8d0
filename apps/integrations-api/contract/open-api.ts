import { Accepts, errorBody } from '@delivery/platform/auth';
import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';

const SENTENCES = {
  400: ['The request is not valid: see errors.', 'authentication.account_id', 'must be your AWS account id: 12 digits'],
  401: ['The access token has expired: get a new one from POST /v1/sessions.'],
  403: ['This API key belongs to another organization than the organization_id of the request.'],
  404: ['There is no integration with this id in your organization.'],
  409: ['The run has not failed, so there is nothing to retry.'],
  429: ['More than 100 requests in 15 seconds for this organization: wait 9 s and go on slower.'],
  503: ['The service cannot do this right now. Nothing is lost by trying again in a few seconds.'],
} as const;

export type ErrorStatus = keyof typeof SENTENCES;

const ERROR_SCHEMA = {
  type: 'object',
  required: ['code', 'name', 'message', 'errors'],
  properties: {
    code: { type: 'integer' },
    name: { type: 'string' },
    message: { type: 'string', description: 'What is wrong, and what to change.' },
    errors: {
      description: 'The fields at fault; an empty object when there are none.',
      oneOf: [
        {
          type: 'array',
          items: {
            type: 'object',
            required: ['field', 'message'],
            properties: { field: { type: 'string' }, message: { type: 'string' } },
          },
        },
        { type: 'object', maxProperties: 0 },
      ],
    },
  },
};

/** A controller of the contract: how clients sign in, and what every route may answer. */
export function ContractController(tag: string): ClassDecorator {
  return applyDecorators(ApiTags(tag), ApiBearerAuth(), Accepts('bearer-session', 'bearer'), ApiErrors(401, 429, 503));
}

/** Documents error answers with an example of each. */
export function ApiErrors(...statuses: readonly ErrorStatus[]): ClassDecorator & MethodDecorator {
  return applyDecorators(...statuses.map(errorResponse));
}

function errorResponse(status: ErrorStatus): ClassDecorator & MethodDecorator {
  const [message, field, fault] = SENTENCES[status];
  const example = errorBody(
    status,
    message,
    field === undefined || fault === undefined ? [] : [{ field, message: fault }],
  );
  return ApiResponse({ status, description: example.name, schema: { ...ERROR_SCHEMA, example } });
}

/** `organization_id` in the query, which may be left out: it is the key's. */
export function ApiOrganizationQuery(): MethodDecorator {
  return ApiQuery({
    name: 'organization_id',
    required: false,
    type: String,
    example: 'acme',
    description: 'May be left out: it is the organization of the key.',
  });
}

/** The parameters of every list. */
export function ApiListQuery(sortable: readonly string[]): MethodDecorator {
  return applyDecorators(
    ApiOrganizationQuery(),
    ApiQuery({ name: '$limit', required: false, schema: { type: 'integer', default: 100, maximum: 100 } }),
    ApiQuery({ name: '$skip', required: false, schema: { type: 'integer', default: 0 } }),
    ...(sortable.length === 0
      ? []
      : [
          ApiQuery({
            name: '$sort',
            required: false,
            example: '-created_at',
            description: `One of ${sortable.join(', ')}; "-" before it for descending.`,
          }),
        ]),
  );
}
