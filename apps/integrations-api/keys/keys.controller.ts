import type { ApiKey } from '@delivery/integrations/domain';
import {
  CreatedKeyResponse,
  CreateKeyRequest,
  KeyPage,
  KeyResponse,
  ReplaceKeyRequest,
  UpdateKeyRequest,
} from '@delivery/integrations/schema';
import { ApiKeyStore } from '@delivery/integrations/store';
import {
  ApiErrors,
  type ApiException,
  CurrentPrincipal,
  generateApiKey,
  hashSecret,
  notFound,
  type Principal,
  requireOrganization,
} from '@delivery/platform/auth';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { type ListRules, parseListQuery, type Query as QueryValues, toEnvelope } from '../contract/list-query';
import { ApiListQuery, ApiOrganizationQuery, ContractController } from '../contract/open-api';

const LIST: ListRules<'createdAt' | 'name' | 'id'> = {
  sortable: { created_at: 'createdAt', name: 'name', id: 'id' },
  filters: [],
  defaultSort: [{ by: 'createdAt', descending: true }],
};

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The API keys of an organization (contracts.md §1.1). */
@ContractController('Keys')
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly keys: ApiKeyStore) {}

  @Post()
  @ApiOperation({ summary: 'Create an API key', description: 'The secret is shown this once.' })
  @ApiOrganizationQuery()
  @ApiCreatedResponse({ type: CreatedKeyResponse })
  @ApiErrors(403)
  async create(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Body() request: CreateKeyRequest,
  ): Promise<CreatedKeyResponse> {
    const organizationId = requireOrganization(principal, query, request);
    const { id, secret } = generateApiKey();
    const { name, description = '' } = request;
    const key = await this.keys.create({ organizationId, id, name, description }, hashSecret(secret));
    return { ...toKeyResponse(key), secret };
  }

  @Get()
  @ApiOperation({ summary: 'List API keys' })
  @ApiListQuery(Object.keys(LIST.sortable))
  @ApiOkResponse({ type: KeyPage })
  @ApiErrors(403)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<KeyPage> {
    const organizationId = requireOrganization(principal, query);
    const page = parseListQuery(query, LIST);
    return toEnvelope(await this.keys.list(organizationId, page), page, toKeyResponse);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an API key' })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: KeyResponse })
  @ApiErrors(403, 404)
  async read(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
  ): Promise<KeyResponse> {
    return toKeyResponse(known(await this.keys.byId(requireOrganization(principal, query), keyId(id))));
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Change an API key',
    description: 'A disabled key gets no more access tokens; those it has live on until they expire.',
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: KeyResponse })
  @ApiErrors(403, 404)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Body() request: UpdateKeyRequest,
  ): Promise<KeyResponse> {
    const { organization_id: _, ...changes } = request;
    const organizationId = requireOrganization(principal, query, request);
    return toKeyResponse(known(await this.keys.update(organizationId, keyId(id), changes)));
  }

  @Put(':id')
  @ApiOperation({
    summary: 'Replace an API key',
    description: 'All but its id and secret; see PATCH to change some of it.',
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: KeyResponse })
  @ApiErrors(403, 404)
  async replace(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Body() request: ReplaceKeyRequest,
  ): Promise<KeyResponse> {
    const { name, description = '', enabled = true } = request;
    const organizationId = requireOrganization(principal, query, request);
    return toKeyResponse(known(await this.keys.update(organizationId, keyId(id), { name, description, enabled })));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an API key' })
  @ApiOrganizationQuery()
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiErrors(403, 404)
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
  ): Promise<void> {
    const outcome = await this.keys.remove(requireOrganization(principal, query), keyId(id));
    if (outcome === 'absent') throw noSuchKey();
  }
}

/** Odd bytes in a path do not reach the database. */
function keyId(id: string): string {
  return known(KEY_ID.test(id) ? id : undefined);
}

function known<T>(found: T | undefined): T {
  if (found === undefined) throw noSuchKey();
  return found;
}

function noSuchKey(): ApiException {
  return notFound('There is no API key with this id in your organization.');
}

function toKeyResponse(key: ApiKey): KeyResponse {
  return {
    id: key.id,
    organization_id: key.organizationId,
    name: key.name,
    description: key.description,
    enabled: key.enabled,
    is_internal: false,
    created_at: key.createdAt.toISOString(),
  };
}
