// ucum_codes.cjs JSON-ARRAY: prints a JSON object of those codes that are no valid UCUM, each with the reason.
const ucum = require('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance();
const wrong = {};
for (const code of JSON.parse(process.argv[2])) {
  const answer = ucum.validateUnitString(code);
  if (answer.status !== 'valid') wrong[code] = (answer.msg[0] || answer.status).replace(/\n/g, ' ');
}
console.log(JSON.stringify(wrong));
