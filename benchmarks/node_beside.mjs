// dcmjs and the Cornerstone adapters: arguments SR HYDRATED; see benchmarks/measure.py, `Beside`.
// Reads the SR into natural objects, writes these again, and makes annotations of an SR in the dialect that OHIF takes.
import fs from 'node:fs';
import readline from 'node:readline';

// The packages are made for a browser; they only name these.
globalThis.window ??= globalThis;
globalThis.self ??= globalThis;
globalThis.document ??= { createElement: () => ({ getContext: () => null, style: {} }), addEventListener() {}, body: {} };
for (const name of ['log', 'info', 'warn', 'debug']) console[name] = () => {};

const dcmjs = (await import('dcmjs')).default;
dcmjs.log?.setLevel?.('error');
const core = await import('@cornerstonejs/core');
const { adaptersSR } = await import('@cornerstonejs/adapters');
const { DicomMessage, DicomMetaDictionary, DicomDict } = dcmjs.data;
const { MeasurementReport } = adaptersSR.Cornerstone3D;
core.utilities.logger.adaptersLog.getLogger('Cornerstone3D.MeasurementReport').setLevel?.('silent');

const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const bufferOf = (file) => { const bytes = fs.readFileSync(file); return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length); };
const [, , sr, hydrated] = process.argv.length > 3 ? process.argv : ['', '', ...process.argv.slice(1)];

function read(buffer) {
  const parsed = DicomMessage.readFile(buffer);
  const dataset = DicomMetaDictionary.naturalizeDataset(parsed.dict);
  dataset._meta = DicomMetaDictionary.namifyDataset(parsed.meta);
  return [dataset, parsed.meta];
}

const content = bufferOf(sr);
const [dataset, meta] = read(content);
function write() {
  const dict = new DicomDict(meta);
  dict.dict = DicomMetaDictionary.denaturalizeDataset(dataset);
  return dict.write();
}

// Each image that is referred to is a plain axial plane.
const shown = bufferOf(hydrated);
const imageIds = {};
const plane = {
  rowCosines: [1, 0, 0], columnCosines: [0, 1, 0], imageOrientationPatient: [1, 0, 0, 0, 1, 0], imagePositionPatient: [0, 0, 0],
  rowPixelSpacing: 1, columnPixelSpacing: 1, pixelSpacing: [1, 1], rows: 512, columns: 512, frameOfReferenceUID: '1.2.3',
};
const provide = (type) => (type === 'imagePlaneModule' ? plane : type === 'imagePixelModule' ? { rows: 512, columns: 512 } : undefined);
core.metaData.addProvider(provide, 1);
for (const study of list(read(shown)[0].CurrentRequestedProcedureEvidenceSequence))
  for (const series of list(study.ReferencedSeriesSequence))
    for (const sop of list(series.ReferencedSOPSequence)) imageIds[`${sop.ReferencedSOPInstanceUID}:1`] = `x:${sop.ReferencedSOPInstanceUID}:1`;
const hydrate = () => MeasurementReport.generateToolState(read(shown)[0], imageIds, { get: provide }, {});

const works = { read: () => read(content), write, hydrate };
const version = (name) => JSON.parse(fs.readFileSync(`node_modules/${name}/package.json`)).version;
fs.writeFileSync(`${sr}.dcmjs`, Buffer.from(write()));
const annotations = Object.values(hydrate()).flat().length;
const about = { node: process.version, dcmjs: version('dcmjs'), '@cornerstonejs/adapters': version('@cornerstonejs/adapters'), annotations };
process.stdout.write(`${JSON.stringify(about)}\n`);
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { work, repeats } = JSON.parse(line);
  const began = process.cpuUsage();
  for (let turn = 0; turn < repeats; turn++) works[work]();
  const { user, system } = process.cpuUsage(began);
  process.stdout.write(`${JSON.stringify({ seconds: (user + system) / 1e6 })}\n`);
}
