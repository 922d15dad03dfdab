import com.pixelmed.validate.DicomSRValidator;
import java.lang.reflect.Field;
import javax.xml.transform.Source;
import javax.xml.transform.Transformer;
import javax.xml.transform.URIResolver;

/**
 * PixelMedCheck FILE ...: PixelMed's SR validator on many files in one run, since its start is slow. Prints "== FILE" before each
 * verdict.
 */
public class PixelMedCheck {
  public static void main(String[] files) throws Exception {
    DicomSRValidator validator = new DicomSRValidator();
    name(validator, "transformerPass1");
    name(validator, "transformerPass2");
    for (String file : files) {
      System.out.println("== " + file);
      try {
        System.out.println(validator.validate(file));
      } catch (Exception e) {
        System.out.println("Error: Exception " + e);
      }
    }
  }

  /**
   * The validator's own resolver hands out the tables of context groups without a name, so the XSLT processor does not know them
   * again and parses them anew for every content item. With a name they are parsed once a file.
   */
  private static void name(DicomSRValidator validator, String fieldName) throws Exception {
    Field field = DicomSRValidator.class.getDeclaredField(fieldName);
    field.setAccessible(true);
    Transformer transformer = (Transformer) field.get(validator);
    URIResolver own = transformer.getURIResolver();
    if (own == null) return;
    transformer.setURIResolver((href, base) -> {
      Source source = own.resolve(href, base);
      if (source != null && source.getSystemId() == null) source.setSystemId(href);
      return source;
    });
  }
}
