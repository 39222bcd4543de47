import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads groups as JSON, one per line, and prints the assignments of Kafka's own assignors. Used by
 * assignors.peer.test.ts.
 */
public class Assignors {
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode q = json.readTree(line);
            Map<String, Integer> counts = new HashMap<>();
            q.get("counts").fields().forEachRemaining(e -> counts.put(e.getKey(), e.getValue().asInt()));
            Map<String, Subscription> members = new HashMap<>();
            q.get("members").fields().forEachRemaining(e -> members.put(e.getKey(), subscription(e.getValue())));
            AbstractPartitionAssignor assignor;
            switch (q.get("assignor").asText()) {
                case "range": assignor = new RangeAssignor(); break;
                case "roundrobin": assignor = new RoundRobinAssignor(); break;
                case "sticky": assignor = new StickyAssignor(); break;
                default: assignor = new CooperativeStickyAssignor();
            }
            ObjectNode answer = json.createObjectNode();
            Map<String, List<TopicPartition>> assignment;
            try {
                assignment = assignor.assign(counts, members);
            } catch (NullPointerException e) {
                // A bug in Kafka: the general sticky case can look up a removed member.
                System.out.println("{\"failed\":[]}");
                continue;
            }
            for (Map.Entry<String, List<TopicPartition>> e : assignment.entrySet()) {
                ArrayNode list = answer.putArray(e.getKey());
                for (TopicPartition tp : e.getValue()) list.add(tp.topic() + ":" + tp.partition());
            }
            System.out.println(json.writeValueAsString(answer));
        }
    }

    private static Subscription subscription(JsonNode m) {
        List<String> topics = new ArrayList<>();
        m.get("topics").forEach(t -> topics.add(t.asText()));
        List<TopicPartition> owned = new ArrayList<>();
        m.get("owned").forEach(t -> {
            int colon = t.asText().lastIndexOf(':');
            owned.add(new TopicPartition(t.asText().substring(0, colon), Integer.parseInt(t.asText().substring(colon + 1))));
        });
        ByteBuffer userData = m.get("userData").isNull() ? null : ByteBuffer.wrap(java.util.Base64.getDecoder().decode(m.get("userData").asText()));
        Subscription s = new Subscription(topics, userData, owned, m.get("generation").asInt(), Optional.empty());
        if (!m.get("instance").isNull()) s.setGroupInstanceId(Optional.of(m.get("instance").asText()));
        return s;
    }
}
