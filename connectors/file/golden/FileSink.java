// Generates file-sink.expected.json from file-sink.cases.json: the text that Apache's JsonConverter
// and FileStreamSinkTask write for each document.
// Usage, with LIBS=$PEERS_HOME/connect/libs/*:$PEERS_HOME/connect/plugins/connect-file/*
//   java -cp "$LIBS" connectors/file/golden/FileSink.java connectors/file/golden
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.file.FileStreamSinkTask;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;

public class FileSink {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    ArrayNode out = json.createArrayNode();
    for (JsonNode c : json.readTree(new File(args[0], "file-sink.cases.json"))) {
      JsonConverter converter = new JsonConverter();
      converter.configure(Map.of("schemas.enable", c.get("schemas").asText()), false);
      SchemaAndValue v = converter.toConnectData("t", c.get("text").asText().getBytes(StandardCharsets.UTF_8));
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      FileStreamSinkTask task = new FileStreamSinkTask(new PrintStream(bytes, true, StandardCharsets.UTF_8));
      task.put(List.of(new SinkRecord("t", 0, null, null, v.schema(), v.value(), 0)));
      out.add(bytes.toString(StandardCharsets.UTF_8));
    }
    json.writerWithDefaultPrettyPrinter().writeValue(new File(args[0], "file-sink.expected.json"), out);
  }
}
