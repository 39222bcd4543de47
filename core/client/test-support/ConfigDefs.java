import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;

/**
 * Answers questions about the declarations of Kafka's clients, one per line. Fields are separated by
 * tabs and encoded in base64. "keys KIND" prints each key with type, default and importance.
 * "check KIND KEY VALUE" prints the errors.
 */
public class ConfigDefs {
  static final Map<String, ConfigDef> DEFS = Map.of(
      "producer", ProducerConfig.configDef(), "consumer", ConsumerConfig.configDef(), "admin", AdminClientConfig.configDef());

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      String[] fields = line.split("\t", -1);
      ConfigDef def = DEFS.get(fields[1]);
      StringBuilder out = new StringBuilder();
      if (fields[0].equals("keys")) keys(def, out);
      else check(def, fields[2], new String(Base64.getDecoder().decode(fields[3]), "UTF-8"), out);
      System.out.println(out);
    }
  }

  static void keys(ConfigDef def, StringBuilder out) throws Exception {
    for (ConfigDef.ConfigKey key : def.configKeys().values()) {
      if (key.internalConfig) continue;
      Object value = key.defaultValue;
      String shown = value == ConfigDef.NO_DEFAULT_VALUE ? "REQUIRED" : value == null ? "NULL" : "=" + ConfigDef.convertToString(value, key.type);
      for (Object field : new Object[] {key.name, key.type, shown, key.importance}) add(out, String.valueOf(field));
    }
  }

  static void check(ConfigDef def, String key, String value, StringBuilder out) throws Exception {
    Map<String, String> props = new HashMap<>();
    props.put(key, value);
    for (ConfigValue checked : def.validate(props))
      if (checked.name().equals(key)) for (String error : checked.errorMessages()) add(out, error);
  }

  static void add(StringBuilder out, String text) throws Exception {
    out.append(out.length() == 0 ? "" : "\t").append(Base64.getEncoder().encodeToString(text.getBytes("UTF-8")));
  }
}
