import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

/**
 * Kafka's own codec, for comparison. `errors` and `apis` print tables. `messages` reads lines `Name
 * version hex`, decodes each with Kafka's generated class, encodes it again and prints the hex.
 * `read` takes hex of record batches and prints each record. `write` takes lines `codec value...`,
 * and prints the hex of a batch with these values.
 */
public class KafkaCodec {
  static final String[] PACKAGES = {
    "org.apache.kafka.common.message.", "org.apache.kafka.common.metadata.",
    "org.apache.kafka.coordinator.group.generated.", "org.apache.kafka.coordinator.transaction.generated."
  };

  public static void main(String[] args) throws Exception {
    if (args[0].equals("errors"))
      for (Errors e : Errors.values())
        System.out.println(e.code() + "\t" + e.name() + "\t"
            + (e.exception() instanceof org.apache.kafka.common.errors.RetriableException) + "\t" + e.message());
    if (args[0].equals("apis"))
      for (ApiKeys k : ApiKeys.values())
        System.out.println(k.id + "\t" + k.name + "\t" + k.oldestVersion() + "\t" + k.latestVersion(false));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null; ) {
      String[] parts = line.split(" ");
      if (args[0].equals("messages")) System.out.println(again(parts));
      if (args[0].equals("read")) System.out.println(read(HexFormat.of().parseHex(line)));
      if (args[0].equals("write")) System.out.println(write(parts));
    }
  }

  static String hex(ByteBuffer b) {
    if (b == null) return "null";
    byte[] bytes = new byte[b.remaining()];
    b.duplicate().get(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  static Message create(String name) throws Exception {
    for (String p : PACKAGES)
      for (String suffix : new String[] {"Data", ""})
        try {
          return (Message) Class.forName(p + name + suffix).getDeclaredConstructor().newInstance();
        } catch (ClassNotFoundException e) {
          continue;
        }
    throw new IllegalArgumentException("no class for " + name);
  }

  static String again(String[] parts) throws Exception {
    short version = Short.parseShort(parts[1]);
    try {
      Message m = create(parts[0]);
      ByteBuffer in = ByteBuffer.wrap(HexFormat.of().parseHex(parts.length > 2 ? parts[2] : ""));
      m.read(new ByteBufferAccessor(in), version);
      if (in.hasRemaining()) return "left over: " + in.remaining();
      ObjectSerializationCache cache = new ObjectSerializationCache();
      ByteBuffer out = ByteBuffer.allocate(m.size(cache, version));
      m.write(new ByteBufferAccessor(out), cache, version);
      out.flip();
      return "=" + hex(out);
    } catch (RuntimeException e) {
      return "error: " + e;
    }
  }

  static String read(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
      batch.ensureValid();
      out.append("batch ").append(batch.compressionType().name).append(' ').append(batch.baseOffset()).append(' ')
          .append(batch.lastOffset()).append(' ').append(batch.producerId()).append(' ').append(batch.producerEpoch()).append(' ')
          .append(batch.baseSequence()).append(' ').append(batch.maxTimestamp()).append(' ').append(batch.isTransactional()).append(' ')
          .append(batch.isControlBatch()).append(';');
      for (Record r : batch) {
        out.append(r.offset()).append(' ').append(r.timestamp()).append(' ').append(hex(r.key())).append(' ').append(hex(r.value()));
        for (Header h : r.headers())
          out.append(' ').append(h.key()).append('=').append(h.value() == null ? "null" : HexFormat.of().formatHex(h.value()));
        out.append(';');
      }
    }
    return out.toString();
  }

  static String write(String[] parts) {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    var builder = MemoryRecords.builder(buffer, RecordBatch.MAGIC_VALUE_V2, compression(parts[0]), TimestampType.CREATE_TIME,
        0L, 0L, 7L, (short) 3, 11, true, false, 5);
    for (int i = 1; i < parts.length; i++) {
      byte[] key = i % 3 == 0 ? null : ("k" + i).getBytes();
      Header[] headers = i % 2 == 0 ? new Header[0]
          : new Header[] {new org.apache.kafka.common.header.internals.RecordHeader("h" + i, i % 5 == 0 ? null : new byte[] {1, 2})};
      builder.append(1700000000000L + i * 7 - (i % 4) * 100000000000L, key, parts[i].equals("null") ? null : parts[i].getBytes(), headers);
    }
    return hex(builder.build().buffer());
  }

  static Compression compression(String name) {
    return switch (name) {
      case "gzip" -> Compression.gzip().build();
      case "snappy" -> Compression.snappy().build();
      case "lz4" -> Compression.lz4().build();
      case "zstd" -> Compression.zstd().build();
      default -> Compression.NONE;
    };
  }
}
