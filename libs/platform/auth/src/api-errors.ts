import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { type ErrorBody, errorBody } from './errors';

const SENTENCES = {
  400: ['The request is not valid: see errors.', 'organization_id', 'must be one text'],
  401: ['The access token has expired: get a new one from POST /v1/sessions.'],
  403: ['This API key belongs to another organization than the organization_id of the request.'],
  404: ['There is nothing with this id in your organization.'],
  409: ['The run has not failed, so there is nothing to retry.'],
  410: ['This report was removed: it is older than reports are kept.'],
  413: ['The body is larger than this service accepts: send it in smaller parts.'],
  429: ['More than 100 requests in 15 seconds for this organization: wait 9 s and go on slower.'],
  503: ['The service cannot do this right now. Nothing is lost by trying again in a few seconds.'],
} as const;

/** `default`: any other error, as of the transport (404, 413, 414, 415) or a fault of the service (500). */
export type ErrorStatus = keyof typeof SENTENCES | 'default';

/** An answer of which a service says more than the sentence that others have. */
export interface DocumentedError {
  readonly status: keyof typeof SENTENCES;
  readonly message: string;
  /** Further fields of the body, as in an answer. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** When not always. */
  readonly retryAfter?: string;
}

/** {@link ErrorBody} as the reference describes it. */
class ErrorResponse {
  @ApiProperty({ type: 'integer', example: 400 })
  code: number;

  @ApiProperty({ description: 'The status in words.', example: 'BadRequest' })
  name: string;

  @ApiProperty({ description: 'What is wrong, and what to change.' })
  message: string;

  @ApiProperty({
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
  })
  errors: ErrorBody['errors'];
}

/** Documents error answers with an example of each. */
export function ApiErrors(...errors: readonly (ErrorStatus | DocumentedError)[]): ClassDecorator & MethodDecorator {
  return applyDecorators(
    ApiExtraModels(ErrorResponse),
    ...errors.map((error) => (typeof error === 'object' ? documented(error) : errorResponse(error))),
  );
}

function retryAfter(description = 'Seconds to wait.'): object {
  return { headers: { 'Retry-After': { description, schema: { type: 'integer' } } } };
}

function documented({ status, message, more, ...other }: DocumentedError): ClassDecorator & MethodDecorator {
  const example = { ...errorBody(status, message), ...more };
  const schema = { $ref: getSchemaPath(ErrorResponse) };
  return ApiResponse({
    status,
    description: example.name,
    ...(other.retryAfter === undefined ? passing(status) : retryAfter(other.retryAfter)),
    content: { 'application/json': { schema, example } },
  });
}

/** A client is told when to come back after what passes. */
function passing(status: number): object {
  return status === 429 || status === 503 ? retryAfter() : {};
}

function errorResponse(status: ErrorStatus): ClassDecorator & MethodDecorator {
  const schema = { $ref: getSchemaPath(ErrorResponse) };
  if (status === 'default')
    return ApiResponse({ status, description: 'Any other error.', content: { 'application/json': { schema } } });
  const [message, field, fault] = SENTENCES[status];
  const example = errorBody(
    status,
    message,
    field === undefined || fault === undefined ? [] : [{ field, message: fault }],
  );
  return ApiResponse({
    status,
    description: example.name,
    ...passing(status),
    content: { 'application/json': { schema, example } },
  });
}
