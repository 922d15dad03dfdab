// hydrate.mjs [--images FOLDER] SR.dcm ...: does OHIF make an annotation of every measurement group ("hydrate")?
// Runs MeasurementReport.generateToolState of the published Cornerstone3D adapters on dcmjs' reading of each file, and the rules
// by which OHIF itself takes or leaves an SR. Prints {file, hydrated, groups, points, errors} as a line of JSON for each
// file; points are those of the annotations of each group, in millimetres.
import fs from 'node:fs';
import path from 'node:path';

// The packages are made for a browser; they only name these.
globalThis.window ??= globalThis;
globalThis.self ??= globalThis;
globalThis.document ??= { createElement: () => ({ getContext: () => null, style: {} }), addEventListener() {}, body: {} };

const dcmjs = (await import('dcmjs')).default;
dcmjs.log?.setLevel?.('error');
const core = await import('@cornerstonejs/core');
const { adaptersSR } = await import('@cornerstonejs/adapters');
const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
const { MeasurementReport } = adaptersSR.Cornerstone3D;

// SR classes with a handler in OHIF: Basic Text, Enhanced, Comprehensive, Comprehensive 3D.
const CLASSES = ['11', '22', '33', '34'].map((last) => `1.2.840.10008.5.1.4.1.1.88.${last}`);
const COMPREHENSIVE_3D = CLASSES[3];

// The adapter swallows exceptions into its logger: catch them there.
let swallowed = '';
const log = core.utilities.logger.adaptersLog.getLogger('Cornerstone3D.MeasurementReport');
log.info = () => {};
log.warn = (...words) => {
  const error = words.find((word) => word instanceof Error);
  swallowed = error ? error.message.split('\n')[0] : String(words[0]);
};

const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const conceptOf = (item) => list(item.ConceptNameCodeSequence)[0]?.CodeValue;
const isRegion = (item) => item.ValueType === 'SCOORD' || item.ValueType === 'SCOORD3D';

function read(file) {
  const bytes = fs.readFileSync(file);
  const parsed = DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), { ignoreErrors: true });
  const dataset = DicomMetaDictionary.naturalizeDataset(parsed.dict);
  dataset._meta = DicomMetaDictionary.namifyDataset(parsed.meta);
  return dataset;
}

let images = {}; // by image id
let imageIds = {}; // by "SOP Instance UID:frame"
core.metaData.addProvider(provide, 1);

function provide(type, imageId) {
  const image = images[imageId];
  if (!image) return undefined;
  const orientation = list(image.ImageOrientationPatient).map(Number);
  const position = list(image.ImagePositionPatient).map(Number);
  const spacing = list(image.PixelSpacing).map(Number);
  if (type === 'imagePlaneModule') {
    return {
      rowCosines: orientation.slice(0, 3), columnCosines: orientation.slice(3), imageOrientationPatient: orientation,
      imagePositionPatient: position, rowPixelSpacing: spacing[0], columnPixelSpacing: spacing[1], pixelSpacing: spacing,
      rows: image.Rows, columns: image.Columns, frameOfReferenceUID: image.FrameOfReferenceUID,
    };
  }
  if (type === 'imagePixelModule') return { rows: image.Rows, columns: image.Columns };
  return type === 'instance' ? image : undefined;
}

function addImage(image) {
  for (let frame = 1; frame <= Number(image.NumberOfFrames || 1); frame++) {
    const imageId = `x:${image.SOPInstanceUID}:${frame}`;
    images[imageId] = image;
    imageIds[`${image.SOPInstanceUID}:${frame}`] = imageId;
  }
}

// Without the real images each one that is referred to is a plain axial plane.
function addEvidence(dataset) {
  const studies = [...list(dataset.CurrentRequestedProcedureEvidenceSequence), ...list(dataset.PertinentOtherEvidenceSequence)];
  for (const study of studies)
    for (const series of list(study.ReferencedSeriesSequence))
      for (const sop of list(series.ReferencedSOPSequence))
        addImage({
          SOPInstanceUID: sop.ReferencedSOPInstanceUID, ImageOrientationPatient: [1, 0, 0, 0, 1, 0], ImagePositionPatient: [0, 0, 0],
          PixelSpacing: [1, 1], Rows: 512, Columns: 512, NumberOfFrames: 512, FrameOfReferenceUID: '1.2.3',
        });
}

function gate(dataset, groups) {
  const errors = [];
  const title = conceptOf(dataset);
  if (!CLASSES.includes(dataset.SOPClassUID)) errors.push(`OHIF has no handler for SOP class ${dataset.SOPClassUID}`);
  if (title !== '126000') errors.push(`the title is ${title}; OHIF wants 126000`);
  if (!groups.length) errors.push('no measurement group (125007) under the imaging measurements (126010)');
  const seen = new Map();
  groups.forEach((group, index) => {
    const items = list(group.ContentSequence);
    const label = `group ${index + 1}`;
    const uid = items.find((item) => conceptOf(item) === '112040')?.UID;
    if (!uid) errors.push(`${label}: no Tracking Unique Identifier, OHIF throws while it loads the SR`);
    else if (seen.has(uid)) errors.push(`${label}: has the tracking UID of group ${seen.get(uid)}, OHIF makes one measurement of both`);
    else seen.set(uid, index + 1);
    const placed = items.some(isRegion) || items.some((item) => item.ValueType === 'NUM' && list(item.ContentSequence).some(isRegion));
    if (!placed) errors.push(`${label}: no coordinates in it or under a NUM, OHIF reads the first unguarded`);
    if (JSON.stringify(items).includes('"SCOORD3D"') && dataset.SOPClassUID !== COMPREHENSIVE_3D)
      errors.push(`${label}: SCOORD3D outside Comprehensive 3D, OHIF never attaches it`);
  });
  return errors;
}

// One group a call, so that a swallowed exception is seen.
function hydrate(dataset, container, group, label, drawn) {
  swallowed = '';
  let state = {};
  const contents = list(dataset.ContentSequence).map((item) => (item === container ? { ...item, ContentSequence: [group] } : item));
  try {
    state = MeasurementReport.generateToolState({ ...dataset, ContentSequence: contents }, imageIds, { get: provide }, {});
  } catch (error) {
    swallowed = error.message;
  }
  const made = Object.entries(state).flatMap(([tool, annotations]) => annotations.map(({ annotation }) => [tool, annotation]));
  if (!made.length) return [`${label}: is not hydrated: ${swallowed || 'no adapter knows its tracking identifier'}`];
  return made.flatMap(([tool, { data, metadata }]) => {
    const points = data?.handles?.points?.length ? data.handles.points : (data?.contour?.polyline ?? []);
    const numbers = points.flatMap((point) => Array.from(point));
    drawn.push(...points.map((point) => Array.from(point)));
    if (!numbers.length || !numbers.every(Number.isFinite)) return [`${label}: ${tool}: bad points or none`];
    return metadata.FrameOfReferenceUID ? [] : [`${label}: ${tool}: no frame of reference`];
  });
}

function judge(file, folder) {
  images = {};
  imageIds = {};
  const dataset = read(file);
  if (folder) fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .forEach((entry) => addImage(read(path.join(entry.parentPath ?? entry.path, entry.name))));
  else addEvidence(dataset);
  const container = list(dataset.ContentSequence).find((item) => conceptOf(item) === '126010');
  const groups = list(container?.ContentSequence).filter((item) => conceptOf(item) === '125007');
  const errors = gate(dataset, groups);
  let hydrated = 0;
  const points = groups.map((group, index) => {
    const drawn = [];
    const wrong = hydrate(dataset, container, group, `group ${index + 1}`, drawn);
    if (!wrong.length) hydrated++;
    errors.push(...wrong);
    return drawn;
  });
  return { hydrated, groups: groups.length, points, errors };
}

const words = process.argv.slice(2);
const folder = words[0] === '--images' ? words.splice(0, 2)[1] : undefined;
for (const file of words) {
  let verdict;
  try {
    verdict = judge(file, folder);
  } catch (error) {
    verdict = { hydrated: 0, groups: 0, points: [], errors: [`can't be read: ${error.message}`] };
  }
  process.stdout.write(`${JSON.stringify({ file, ...verdict })}\n`);
}
