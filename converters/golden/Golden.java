// Generates expected.json from cases.json with the classes of Kafka Connect: see README.md.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

public class Golden {
  static final ObjectMapper JSON = new ObjectMapper();
  static final JsonConverter ENVELOPE = envelope();

  static JsonConverter envelope() {
    JsonConverter c = new JsonConverter();
    c.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
    return c;
  }

  static Map<String, String> props(JsonNode node) {
    Map<String, String> out = new HashMap<>();
    if (node != null) node.fields().forEachRemaining(e -> out.put(e.getKey(), e.getValue().asText()));
    return out;
  }

  // Data that several cases share. A case refers to it as "@name".
  static JsonNode shared = JSON.createObjectNode();

  // Data is read and written as the text of JsonConverter's envelope. Null means no data.
  static SchemaAndValue data(JsonNode text) {
    if (text == null || text.isNull()) return SchemaAndValue.NULL;
    if (text.asText().startsWith("@")) return data(shared.get(text.asText().substring(1)));
    return ENVELOPE.toConnectData("t", text.asText().getBytes(StandardCharsets.UTF_8));
  }

  static String text(org.apache.kafka.connect.data.Schema schema, Object value) {
    byte[] bytes = ENVELOPE.fromConnectData("t", schema, value);
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  static ConnectRecord<?> record(JsonNode r) {
    SchemaAndValue key = data(r.get("key"));
    SchemaAndValue value = data(r.get("value"));
    String topic = r.path("topic").asText("t");
    Long timestamp = r.hasNonNull("timestamp") ? r.get("timestamp").asLong() : null;
    ConnectRecord<?> out = r.path("source").asBoolean()
        ? new SourceRecord(Map.of("p", "1"), Map.of("o", 1), topic, 0, key.schema(), key.value(), value.schema(), value.value(), timestamp)
        : new SinkRecord(topic, 0, key.schema(), key.value(), value.schema(), value.value(), 42, timestamp, org.apache.kafka.common.record.TimestampType.CREATE_TIME);
    if (r.has("headers")) for (JsonNode h : r.get("headers")) {
      SchemaAndValue v = data(h.get(1));
      out.headers().add(h.get(0).asText(), v);
    }
    return out;
  }

  static ObjectNode told(ConnectRecord<?> r) {
    ObjectNode o = JSON.createObjectNode();
    o.put("topic", r.topic());
    if (r.kafkaPartition() == null) o.putNull("partition"); else o.put("partition", r.kafkaPartition());
    o.put("key", text(r.keySchema(), r.key()));
    o.put("value", text(r.valueSchema(), r.value()));
    if (r.timestamp() == null) o.putNull("timestamp"); else o.put("timestamp", r.timestamp());
    ArrayNode hs = o.putArray("headers");
    for (Header h : r.headers()) hs.addArray().add(h.key()).add(text(h.schema(), h.value()));
    return o;
  }

  static String base64(byte[] b) { return b == null ? null : Base64.getEncoder().encodeToString(b); }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static void run(JsonNode c, ObjectNode out) throws Exception {
    Map<String, String> props = props(c.get("props"));
    Object plugin = Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
    switch (c.get("op").asText()) {
      case "write": {
        Converter converter = (Converter) plugin;
        converter.configure(props, c.path("isKey").asBoolean());
        SchemaAndValue v = data(c.get("data"));
        out.put("bytes", base64(converter.fromConnectData("t", v.schema(), v.value())));
        break;
      }
      case "read": {
        Converter converter = (Converter) plugin;
        converter.configure(props, c.path("isKey").asBoolean());
        byte[] bytes = c.hasNonNull("text") ? c.get("text").asText().getBytes(StandardCharsets.UTF_8)
            : c.hasNonNull("bytes") ? Base64.getDecoder().decode(c.get("bytes").asText()) : null;
        SchemaAndValue v = converter.toConnectData("t", bytes);
        out.put("data", text(v.schema(), v.value()));
        break;
      }
      case "header-write": {
        HeaderConverter converter = (HeaderConverter) plugin;
        converter.configure(props);
        SchemaAndValue v = data(c.get("data"));
        out.put("bytes", base64(converter.fromConnectHeader("t", "h", v.schema(), v.value())));
        break;
      }
      case "header-read": {
        HeaderConverter converter = (HeaderConverter) plugin;
        converter.configure(props);
        SchemaAndValue v = converter.toConnectHeader("t", "h", c.get("text").asText().getBytes(StandardCharsets.UTF_8));
        out.put("data", text(v.schema(), v.value()));
        break;
      }
      // The header is read and written again, because the envelope cannot represent mixed lists.
      case "header-round": {
        HeaderConverter converter = (HeaderConverter) plugin;
        converter.configure(props);
        SchemaAndValue v = converter.toConnectHeader("t", "h", c.get("text").asText().getBytes(StandardCharsets.UTF_8));
        out.put("bytes", base64(converter.fromConnectHeader("t", "h", v.schema(), v.value())));
        break;
      }
      case "transform": {
        Transformation transformation = (Transformation) plugin;
        transformation.configure(props);
        ConnectRecord<?> r = transformation.apply(record(c.get("record")));
        if (r == null) out.putNull("record"); else out.set("record", told(r));
        break;
      }
      case "predicate": {
        Predicate predicate = (Predicate) plugin;
        predicate.configure(props);
        out.put("result", predicate.test(record(c.get("record"))));
        break;
      }
      default: throw new IllegalArgumentException(c.get("op").asText());
    }
  }

  public static void main(String[] args) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    File records = new File(new File(args[0]).getParentFile(), "records.json");
    if (records.exists()) shared = JSON.readTree(records);
    ArrayNode results = JSON.createArrayNode();
    for (JsonNode c : JSON.readTree(new File(args[0]))) {
      ObjectNode out = results.addObject();
      out.put("name", c.get("name").asText());
      try {
        run(c, out);
      } catch (Throwable e) {
        out.put("error", e.getClass().getName() + ": " + e.getMessage());
      }
    }
    JSON.writerWithDefaultPrettyPrinter().writeValue(new File(args[1]), results);
  }
}
