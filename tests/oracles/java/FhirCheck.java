import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * FhirCheck R4|R5: HAPI's instance validator, offline. For each file that a line of its input names it prints "== FILE", under it a
 * line for each error, and "== end".
 */
public class FhirCheck {
  public static void main(String[] args) throws Exception {
    FhirContext context = args[0].equals("R5") ? FhirContext.forR5() : FhirContext.forR4();
    // SNOMED CT, LOINC and RadLex are not on board: their codes give a warning, not an error.
    ValidationSupportChain support = new ValidationSupportChain(
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context),
        new UnknownCodeSystemWarningValidationSupport(context));
    FhirValidator validator = context.newValidator();
    validator.registerValidatorModule(new FhirInstanceValidator(support));
    BufferedReader files = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String file = files.readLine(); file != null; file = files.readLine()) {
      System.out.println("== " + file);
      var result = validator.validateWithResult(Files.readString(Path.of(file)));
      for (var message : result.getMessages()) {
        if (message.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal()) {
          System.out.println((message.getLocationString() + " " + message.getMessage()).replace('\n', ' '));
        }
      }
      System.out.println("== end");
    }
  }
}
