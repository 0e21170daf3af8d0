import { Accepts, ApiErrors } from '@delivery/platform/auth';
import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';

/** A controller of the contract: how clients sign in, and what every route may answer. */
export function ContractController(tag: string): ClassDecorator {
  return applyDecorators(
    ApiTags(tag),
    ApiBearerAuth(),
    Accepts('bearer-session', 'bearer'),
    ApiErrors(400, 401, 429, 503, 'default'),
  );
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
