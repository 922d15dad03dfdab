import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.primitive.IdDt;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.annotation.ConditionalUrlParam;
import ca.uhn.fhir.rest.annotation.Create;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.ResourceParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.annotation.Update;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.MethodNotAllowedException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import ca.uhn.fhir.util.ResourceReferenceInfo;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r5.model.Base;
import org.hl7.fhir.r5.model.Identifier;
import org.hl7.fhir.r5.model.Resource;

/**
 * R5Server PORT [own-ids]: HAPI's R5 model, strict parser and REST server on loopback, over resources in memory.
 *
 * Create and update are conditional by identifier; a reference to what is not there is refused; there are neither
 * transactions nor batches. own-ids: no update as create, the server gives out its ids itself.
 */
public class R5Server {
  static final FhirContext CONTEXT = FhirContext.forR5();
  /** Type/id to the resource as JSON: what is given back was read and written by HAPI's parser. */
  static final Map<String, String> HELD = new TreeMap<>();
  static boolean ownIds;
  static long next = 1;

  public static void main(String[] args) throws Exception {
    ownIds = args.length > 1 && args[1].equals("own-ids");
    CONTEXT.setParserErrorHandler(new StrictErrorHandler());
    List<IResourceProvider> providers = new ArrayList<>();
    for (String type : List.of("BodyStructure", "Device", "DiagnosticReport", "DocumentReference", "ImagingSelection",
        "ImagingStudy", "Observation", "Organization", "Patient", "Practitioner", "PractitionerRole", "Provenance",
        "ServiceRequest")) {
      providers.add(new Kept<>(CONTEXT.getResourceDefinition(type).getImplementingClass()));
    }
    RestfulServer fhir = new RestfulServer(CONTEXT);
    fhir.setResourceProviders(providers);
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

  public static class Kept<T extends IBaseResource> implements IResourceProvider {
    private final Class<T> type;
    private final String name;

    @SuppressWarnings("unchecked")
    Kept(Class<? extends IBaseResource> type) {
      this.type = (Class<T>) type;
      this.name = type.getSimpleName();
    }

    @Override
    public Class<T> getResourceType() {
      return type;
    }

    @Create
    public MethodOutcome create(@ResourceParam T sent, @ConditionalUrlParam String condition) {
      synchronized (HELD) {
        if (condition != null) {
          List<IBaseResource> there = named(condition);
          if (!there.isEmpty()) {
            return told(only(there), false);
          }
        }
        return keep(sent, Long.toString(next++), 1, true);
      }
    }

    @Update
    public MethodOutcome update(@ResourceParam T sent, @IdParam IIdType id, @ConditionalUrlParam String condition) {
      synchronized (HELD) {
        if (condition != null) {
          List<IBaseResource> there = named(condition);
          if (there.isEmpty()) {
            return keep(sent, Long.toString(next++), 1, true);
          }
          IIdType found = only(there).getIdElement();
          return keep(sent, found.getIdPart(), found.getVersionIdPartAsLong() + 1, false);
        }
        String before = HELD.get(name + "/" + id.getIdPart());
        if (before == null) {
          if (ownIds) {
            throw new MethodNotAllowedException("ids are given out here");
          }
          return keep(sent, id.getIdPart(), 1, true);
        }
        long version = parsed(before).getIdElement().getVersionIdPartAsLong();
        if (id.hasVersionIdPart() && id.getVersionIdPartAsLong() != version) {
          throw new PreconditionFailedException("another version is here");
        }
        return keep(sent, id.getIdPart(), version + 1, false);
      }
    }

    @Read
    @SuppressWarnings("unchecked")
    public T read(@IdParam IIdType id) {
      synchronized (HELD) {
        String there = HELD.get(name + "/" + id.getIdPart());
        if (there == null) {
          throw new ResourceNotFoundException(id);
        }
        return (T) parsed(there);
      }
    }

    @Search
    public List<IBaseResource> search(
        @OptionalParam(name = "_id") TokenParam id,
        @OptionalParam(name = "identifier") TokenParam identifier,
        @OptionalParam(name = "target") ReferenceParam target) {
      synchronized (HELD) {
        List<IBaseResource> found = new ArrayList<>();
        for (Map.Entry<String, String> one : HELD.entrySet()) {
          if (!one.getKey().startsWith(name + "/")) {
            continue;
          }
          IBaseResource resource = parsed(one.getValue());
          boolean fits = id == null || id.getValue().equals(resource.getIdElement().getIdPart());
          fits &= identifier == null || has(resource, identifier.getSystem(), identifier.getValue());
          fits &= target == null || refers(resource, target.getValue());
          if (fits) {
            found.add(resource);
          }
        }
        return found;
      }
    }

    private MethodOutcome keep(T sent, String id, long version, boolean created) {
      for (ResourceReferenceInfo one : CONTEXT.newTerser().getAllResourceReferences(sent)) {
        String place = one.getResourceReference().getReferenceElement().toUnqualifiedVersionless().getValue();
        if (place != null && !place.startsWith("#") && !HELD.containsKey(place)) {
          throw new UnprocessableEntityException("nothing is here under " + place);
        }
      }
      sent.setId(new IdDt(name, id, Long.toString(version)));
      sent.getMeta().setVersionId(Long.toString(version));
      HELD.put(name + "/" + id, CONTEXT.newJsonParser().encodeResourceToString(sent));
      return told(sent, created);
    }

    private MethodOutcome told(IBaseResource there, boolean created) {
      MethodOutcome outcome = new MethodOutcome(there.getIdElement(), created);
      outcome.setResource(there);
      return outcome;
    }

    private IBaseResource only(List<IBaseResource> there) {
      if (there.size() > 1) {
        throw new PreconditionFailedException("the condition matches several");
      }
      return there.get(0);
    }

    private List<IBaseResource> named(String condition) {
      String query = condition.substring(condition.indexOf('?') + 1);
      if (!query.startsWith("identifier=") || query.contains("&")) {
        throw new InvalidRequestException("a condition is an identifier: " + query);
      }
      String said = URLDecoder.decode(query.substring("identifier=".length()).replace("+", "%2B"), StandardCharsets.UTF_8);
      int bar = said.indexOf('|');
      TokenParam token = bar < 0 ? new TokenParam(said) : new TokenParam(said.substring(0, bar), said.substring(bar + 1));
      return search(null, token, null);
    }

    private IBaseResource parsed(String text) {
      return CONTEXT.newJsonParser().parseResource(text);
    }

    private boolean refers(IBaseResource resource, String place) {
      return CONTEXT.newTerser().getAllResourceReferences(resource).stream()
          .anyMatch(one -> place.equals(one.getResourceReference().getReferenceElement().toUnqualifiedVersionless().getValue()));
    }

    private boolean has(IBaseResource resource, String system, String value) {
      for (Base one : ((Resource) resource).getNamedProperty("identifier").getValues()) {
        Identifier told = (Identifier) one;
        if (value.equals(told.getValue()) && (system == null || system.equals(told.getSystem()))) {
          return true;
        }
      }
      return false;
    }
  }
}
