#!/usr/bin/env bash
# Starts a node of Elasticsearch 7 or of OpenSearch 1 or 2, on 127.0.0.1, to test the Elasticsearch
# sink by hand. It consists of the server and its HTTP module from Maven Central, without plugins,
# security and ingest processors.
#   export ELASTICSEARCH_URL=$(bash test/services/other-servers.sh start opensearch 2.19.1)
#   npm test -- connectors/elasticsearch/elasticsearch.es
# Needs mvn and a JDK 17.
set -euo pipefail
CACHE=${SERVICES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/test-services}
usage() { echo "usage: $0 start elasticsearch|opensearch VERSION [--port P] [--dir D] | stop [--dir D]" >&2; exit 2; }
cmd=${1:-}; [ $# -gt 0 ] && shift
product='' version=''
[ "$cmd" != start ] || { product=${1:?product} version=${2:?version}; shift 2; }
port=9210 dir=/tmp/test-services/other-server
while [ $# -gt 0 ]; do case $1 in --port) port=$2; shift 2 ;; --dir) dir=$2; shift 2 ;; *) usage ;; esac; done

deps() { # deps GROUP:ARTIFACT:VERSION...: their run-time jars into $home/lib
  { echo '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
    for d in "$@"; do IFS=: read -r g a v <<< "$d"; echo "<dependency><groupId>$g</groupId><artifactId>$a</artifactId><version>$v</version></dependency>"; done
    echo '</dependencies></project>'; } > "$home/pom.xml"
  mvn -q -B -Dstyle.color=never -f "$home/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2
}
install() { # into $home: the jars, and a launcher, since the constructor that takes plugins as classes is protected
  [ -e "$home/.complete" ] && return 0
  rm -rf "$home"; mkdir -p "$home/lib" "$home/modules" "$home/plugins"
  deps "org.$product:$product:$version" "org.$product.plugin:transport-netty4-client:$version"
  local api=("$home"/lib/log4j-api-*.jar)
  ls "$home"/lib/log4j-core-*.jar > /dev/null 2>&1 || { api=${api[0]##*log4j-api-}; deps "org.apache.logging.log4j:log4j-core:${api%.jar}"; }
  cat > "$home/OtherServer.java" <<J
import java.nio.file.Paths;
import java.util.*;
import org.$product.common.logging.LogConfigurator;
import org.$product.common.settings.Settings;
import org.$product.env.Environment;
import org.$product.node.*;
import org.$product.transport.Netty4Plugin;

public class OtherServer extends Node {
    OtherServer(Environment environment) { super(environment, List.of(Netty4Plugin.class), true); }

    public static void main(String[] args) throws Exception {
        Settings settings = Settings.builder().put("path.home", args[0]).put("path.data", args[1] + "/data").put("path.logs", args[1] + "/logs")
            .put("cluster.name", "test").put("node.name", "test-1").put("discovery.type", "single-node")
            .put("http.type", "netty4").put("http.host", "127.0.0.1").put("http.port", args[2])
            .put("transport.type", "netty4").put("transport.host", "127.0.0.1").put("transport.port", args[3])
            .put("cluster.routing.allocation.disk.threshold_enabled", false).build();
        LogConfigurator.setNodeName("test-1");
        new OtherServer(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), Paths.get(args[1], "config"), () -> "test-1")).start();
        new java.util.concurrent.CountDownLatch(1).await();
    }
}
J
  javac -cp "$home/lib/*" -d "$home" "$home/OtherServer.java" >&2
  touch "$home/.complete"
}
start() {
  home=$CACHE/$product-$version-bare
  install
  mkdir -p "$dir/config" "$dir/logs"
  echo 'rootLogger.level = warn' > "$dir/config/log4j2.properties"
  setsid java -Xms384m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.security.manager=allow -cp "$home:$home/lib/*" OtherServer \
    "$home" "$dir" "$port" "$((port + 100))-$((port + 199))" > "$dir/log" 2>&1 < /dev/null &
  echo $! > "$dir/pid"
  for _ in $(seq 120); do
    if curl -sf -o /dev/null --max-time 5 "http://127.0.0.1:$port/_cluster/health"; then echo "http://127.0.0.1:$port"; return 0; fi
    [ -d "/proc/$(cat "$dir/pid")" ] || break
    sleep 0.5
  done
  tail -n 20 "$dir/log" >&2; return 1
}
stop() { [ ! -s "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null || true; rm -rf "$dir"; }
case $cmd in start) start ;; stop) stop ;; *) usage ;; esac
