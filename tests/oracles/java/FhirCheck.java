import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/** FhirCheck R4|R5 FILE ...: HAPI's instance validator, offline. Prints "== FILE" and under it a line for each error. */
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
    for (int i = 1; i < args.length; i++) {
      System.out.println("== " + args[i]);
      var result = validator.validateWithResult(Files.readString(Path.of(args[i])));
      for (var message : result.getMessages()) {
        if (message.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal()) {
          System.out.println((message.getLocationString() + " " + message.getMessage()).replace('\n', ' '));
        }
      }
    }
  }
}
