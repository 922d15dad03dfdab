import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.LookupCodeRequest;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.context.support.ValueSetExpansionOptions;
import ca.uhn.fhir.rest.annotation.Operation;
import ca.uhn.fhir.rest.annotation.OperationParam;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.instance.model.api.IBaseParameters;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.BooleanType;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.ConceptMap;
import org.hl7.fhir.r4.model.IntegerType;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.StringType;
import org.hl7.fhir.r4.model.UriType;
import org.hl7.fhir.r4.model.ValueSet;

/**
 * TerminologyServer PORT FILE ...: HAPI's REST server over its own in-memory terminology, on loopback, with the
 * resources of the files. What each operation knows and how it is said is HAPI's; $translate reads the maps row by row.
 */
public class TerminologyServer {
  static final FhirContext CONTEXT = FhirContext.forR4();
  static final List<ConceptMap> MAPS = new ArrayList<>();
  static IValidationSupport support;

  public static void main(String[] args) throws Exception {
    PrePopulatedValidationSupport held = new PrePopulatedValidationSupport(CONTEXT);
    for (int i = 1; i < args.length; i++) {
      IBaseResource one = CONTEXT.newJsonParser().parseResource(Files.readString(Path.of(args[i])));
      if (one instanceof ConceptMap map) {
        MAPS.add(map);
      } else if (one instanceof CodeSystem system) {
        held.addCodeSystem(system);
      } else {
        held.addValueSet((ValueSet) one);
      }
    }
    // The files come first: FHIR's own definitions hold SNOMED CT and others without their codes.
    support = new ValidationSupportChain(
        held, new DefaultProfileValidationSupport(CONTEXT), new InMemoryTerminologyServerValidationSupport(CONTEXT));
    RestfulServer fhir = new RestfulServer(CONTEXT);
    fhir.setResourceProviders(new Systems(), new Sets(), new Maps());
    Server server = new Server();
    ServerConnector loopback = new ServerConnector(server);
    loopback.setHost("127.0.0.1");
    loopback.setPort(Integer.parseInt(args[0]));
    server.addConnector(loopback);
    ServletContextHandler handler = new ServletContextHandler();
    handler.addServlet(new ServletHolder(fhir), "/fhir/*");
    server.setHandler(handler);
    server.start();
    server.join();
  }

  static ValidationSupportContext asking() {
    return new ValidationSupportContext(support);
  }

  static String text(StringType one) {
    return one == null ? null : one.getValue();
  }

  static String text(UriType one) {
    return one == null ? null : one.getValue();
  }

  public static class Systems implements IResourceProvider {
    @Override
    public Class<CodeSystem> getResourceType() {
      return CodeSystem.class;
    }

    @Operation(name = "$lookup", idempotent = true)
    public IBaseParameters lookup(
        @OperationParam(name = "code") CodeType code,
        @OperationParam(name = "system") UriType system,
        @OperationParam(name = "displayLanguage") CodeType language) {
      if (code == null || system == null) {
        throw new InvalidRequestException("code and system are wanted");
      }
      String spoken = language == null ? null : language.getValue();
      var found = support.lookupCode(asking(), new LookupCodeRequest(system.getValue(), code.getValue(), spoken, List.of()));
      if (found == null || !found.isFound()) {
        throw new ResourceNotFoundException("Unable to find code[" + code.getValue() + "] in " + system.getValue());
      }
      return found.toParameters(CONTEXT, null);
    }

    @Operation(name = "$validate-code", idempotent = true)
    public IBaseParameters validate(
        @OperationParam(name = "url") UriType url,
        @OperationParam(name = "code") CodeType code,
        @OperationParam(name = "display") StringType display) {
      var options = new ConceptValidationOptions();
      var found = support.validateCode(asking(), options, text(url), code.getValue(), text(display), null);
      if (found == null) {
        throw new ResourceNotFoundException("no code system " + text(url));
      }
      return found.toParameters(CONTEXT);
    }
  }

  public static class Sets implements IResourceProvider {
    @Override
    public Class<ValueSet> getResourceType() {
      return ValueSet.class;
    }

    @Operation(name = "$expand", idempotent = true)
    public IBaseResource expand(
        @OperationParam(name = "url") UriType url,
        @OperationParam(name = "filter") StringType filter,
        @OperationParam(name = "offset") IntegerType offset,
        @OperationParam(name = "count") IntegerType count) {
      IBaseResource held = support.fetchValueSet(text(url));
      if (held == null && text(url).endsWith("?fhir_vs")) {
        ValueSet all = new ValueSet();
        all.setUrl(text(url));
        all.getCompose().addInclude().setSystem(text(url).replace("?fhir_vs", ""));
        held = all;
      }
      if (held == null) {
        throw new ResourceNotFoundException("no value set " + text(url));
      }
      var options = new ValueSetExpansionOptions();
      options.setFilter(text(filter));
      var made = support.expandValueSet(asking(), options, held);
      if (made == null || made.getValueSet() == null) {
        throw new InvalidRequestException(made == null ? "no expansion" : made.getError());
      }
      return made.getValueSet();
    }

    @Operation(name = "$validate-code", idempotent = true)
    public IBaseParameters validate(
        @OperationParam(name = "url") UriType url,
        @OperationParam(name = "system") UriType system,
        @OperationParam(name = "code") CodeType code,
        @OperationParam(name = "display") StringType display) {
      var options = new ConceptValidationOptions();
      var found = support.validateCode(asking(), options, text(system), code.getValue(), text(display), text(url));
      if (found == null) {
        throw new ResourceNotFoundException("no value set " + text(url));
      }
      return found.toParameters(CONTEXT);
    }
  }

  public static class Maps implements IResourceProvider {
    @Override
    public Class<ConceptMap> getResourceType() {
      return ConceptMap.class;
    }

    @Operation(name = "$translate", idempotent = true)
    public Parameters translate(
        @OperationParam(name = "system") UriType system,
        @OperationParam(name = "code") CodeType code,
        @OperationParam(name = "targetsystem") UriType target) {
      Parameters made = new Parameters();
      var result = made.addParameter().setName("result");
      boolean any = false;
      for (ConceptMap map : MAPS) {
        for (var group : map.getGroup()) {
          boolean fits = group.getSource().equals(text(system)) && (target == null || group.getTarget().equals(text(target)));
          for (var element : fits ? group.getElement() : List.<ConceptMap.SourceElementComponent>of()) {
            for (var one : element.getCode().equals(code.getValue()) ? element.getTarget() : List.<ConceptMap.TargetElementComponent>of()) {
              any = true;
              var match = made.addParameter().setName("match");
              match.addPart().setName("equivalence").setValue(new CodeType(one.getEquivalence().toCode()));
              match.addPart().setName("concept").setValue(new Coding(group.getTarget(), one.getCode(), one.getDisplay()));
              match.addPart().setName("source").setValue(new UriType(map.getUrl()));
            }
          }
        }
      }
      result.setValue(new BooleanType(any));
      return made;
    }
  }
}
