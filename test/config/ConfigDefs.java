import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;

/**
 * Answers questions about the declarations of Kafka and Connect, one per line. Fields are separated
 * by tabs. "keys CLASS" prints the name, type, default and importance of each key. "check CLASS KEY
 * VALUE" prints the errors. Values and answers are encoded in base64.
 */
public class ConfigDefs {
  static final Map<String, ConfigDef> DEFS = new HashMap<>();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      String[] fields = line.split("\t", -1);
      if (!DEFS.containsKey(fields[1])) DEFS.put(fields[1], find(Class.forName(fields[1])));
      ConfigDef def = DEFS.get(fields[1]);
      StringBuilder out = new StringBuilder();
      if (fields[0].equals("keys")) keys(def, out);
      else check(def, fields[2], new String(Base64.getDecoder().decode(fields[3]), "UTF-8"), out);
      System.out.println(out);
    }
  }

  /** The declaration of a class, in a static field or from a static method. */
  static ConfigDef find(Class<?> type) throws Exception {
    // LogConfig has several declarations. CONFIG is that of topics.
    for (Field field : type.getDeclaredFields())
      if (field.getName().equals("CONFIG") && ConfigDef.class.isAssignableFrom(field.getType())) {
        field.setAccessible(true);
        return (ConfigDef) field.get(null);
      }
    for (Method method : type.getDeclaredMethods()) {
      if (method.getReturnType() != ConfigDef.class || !Modifier.isStatic(method.getModifiers())) continue;
      method.setAccessible(true);
      if (method.getParameterCount() == 0) return (ConfigDef) method.invoke(null);
      Class<?>[] parameters = method.getParameterTypes();
      if (parameters.length == 1 && parameters[0].getSimpleName().equals("Crypto"))
        return (ConfigDef) method.invoke(null, parameters[0].getField("SYSTEM").get(null));
    }
    for (Field field : type.getDeclaredFields()) {
      if (!ConfigDef.class.isAssignableFrom(field.getType()) || !Modifier.isStatic(field.getModifiers())) continue;
      field.setAccessible(true);
      return (ConfigDef) field.get(null);
    }
    throw new IllegalArgumentException("no ConfigDef in " + type);
  }

  static void keys(ConfigDef def, StringBuilder out) throws Exception {
    for (ConfigDef.ConfigKey key : def.configKeys().values()) {
      if (key.internalConfig) continue;
      Object value = key.defaultValue;
      String shown =
          value == ConfigDef.NO_DEFAULT_VALUE ? "REQUIRED" : value == null ? "NULL" : "=" + ConfigDef.convertToString(value, key.type);
      for (Object field : new Object[] {key.name, key.type, shown, key.importance}) add(out, String.valueOf(field));
    }
  }

  static void check(ConfigDef def, String key, String value, StringBuilder out) throws Exception {
    Map<String, String> props = new HashMap<>();
    props.put(key, value);
    try {
      for (ConfigValue checked : new ConfigDef().define(def.configKeys().get(key)).validate(props))
        for (String error : checked.errorMessages()) add(out, error);
    } catch (NullPointerException e) {
      // Some validators fail for a value that could not be parsed.
      add(out, "!");
    }
  }

  static void add(StringBuilder out, String text) throws Exception {
    out.append(out.length() == 0 ? "" : "\t").append(Base64.getEncoder().encodeToString(text.getBytes("UTF-8")));
  }
}
