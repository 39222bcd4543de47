// Generates expected.json from cases.json with java.util.regex: see README.md.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

public class Golden {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    ArrayNode out = json.createArrayNode();
    for (JsonNode c : json.readTree(new File(args[0]))) {
      ObjectNode answer = out.addObject();
      String text = c.get("pattern").asText();
      answer.put("pattern", text);
      Pattern pattern;
      try {
        pattern = Pattern.compile(text, c.path("flags").asText().equals("i") ? Pattern.CASE_INSENSITIVE : 0);
      } catch (PatternSyntaxException e) {
        answer.put("error", e.getDescription());
        continue;
      }
      ArrayNode results = answer.putArray("results");
      for (JsonNode input : c.get("inputs")) {
        Matcher matcher = pattern.matcher(input.asText());
        ObjectNode result = results.addObject();
        if (matcher.matches()) {
          ArrayNode groups = result.putArray("groups");
          for (int i = 1; i <= matcher.groupCount(); i++) groups.add(matcher.group(i));
        } else {
          result.putNull("groups");
        }
        if (c.has("replacement")) {
          try {
            result.put("replaced", matcher.replaceFirst(c.get("replacement").asText()));
          } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            result.put("error", e.getMessage());
          }
        }
      }
    }
    json.writerWithDefaultPrettyPrinter().writeValue(new File(args[1]), out);
  }
}
