// Validates FHIR R4 JSON by HL7's rules, offline, all files in one process.
//
//   java -cp 'lib/*' Validate.java PROFILES FILE...
//
// PROFILES is a folder of structure definitions and value sets. For each file it prints its errors,
// one a line, and then whether it is valid. It exits with 1 if a file is not.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

public class Validate {
  public static void main(String[] arguments) throws Exception {
    FhirContext context = FhirContext.forR4();
    FhirValidator validator = validator(context, Path.of(arguments[0]));
    boolean valid = true;
    for (String name : List.of(arguments).subList(1, arguments.length)) {
      var errors = validator.validateWithResult(Files.readString(Path.of(name))).getMessages().stream()
          .filter(each -> each.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal())
          .toList();
      for (var each : errors) {
        System.out.printf("%s\terror\t%s: %s%n", name, each.getLocationString(), each.getMessage());
      }
      System.out.printf("%s\t%s%n", name, errors.isEmpty() ? "valid" : "invalid");
      valid &= errors.isEmpty();
    }
    System.exit(valid ? 0 : 1);
  }

  private static FhirValidator validator(FhirContext context, Path folder) throws Exception {
    PrePopulatedValidationSupport profiles = new PrePopulatedValidationSupport(context);
    try (var files = Files.list(folder)) {
      for (Path each : files.filter(path -> path.toString().endsWith(".json")).toList()) {
        profiles.addResource(context.newJsonParser().parseResource(Files.readString(each)));
      }
    }
    ValidationSupportChain chain = new ValidationSupportChain(
        new DefaultProfileValidationSupport(context),
        profiles,
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context),
        new UnknownCodeSystemWarningValidationSupport(context));
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setAnyExtensionsAllowed(true);
    return context.newValidator().registerValidatorModule(module);
  }
}
