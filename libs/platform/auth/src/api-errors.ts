import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { errorBody } from './errors';

const SENTENCES = {
  400: ['The request is not valid: see errors.', 'organization_id', 'must be one text'],
  401: ['The access token has expired: get a new one from POST /v1/sessions.'],
  403: ['This API key belongs to another organization than the organization_id of the request.'],
  404: ['There is nothing with this id in your organization.'],
  409: ['The run has not failed, so there is nothing to retry.'],
  413: ['The body is larger than this service accepts: send it in smaller parts.'],
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
