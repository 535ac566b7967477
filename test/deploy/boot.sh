#!/bin/sh
# Boots an image's files in the namespaces that the caller (image.ts) made. Prints one name=value a line.
# IMAGE_ENV, START and HEALTH are lists of shell-quoted words; PATHS and MOUNTS are lists without blanks.
set -eu

ip link set lo up
mount --bind "$ROOT" "$ROOT"
mount -t tmpfs -o mode=0755 tmpfs "$ROOT/run"
for pair in $MOUNTS; do
  mkdir -p "$ROOT${pair#*:}"
  mount --bind "${pair%%:*}" "$ROOT${pair#*:}"
  mount -o remount,bind,ro "$ROOT${pair#*:}"
done
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o "mode=0700,uid=$IMAGE_UID,gid=$IMAGE_GID" tmpfs "$ROOT/data"
mount -o remount,ro "$ROOT/run"
mount -o remount,bind,ro "$ROOT"

# Runs the words of $1 inside as the image's user: no capability, and no way to gain one.
inside() {
  eval "exec env -i $IMAGE_ENV chroot '$ROOT' setpriv --reuid $IMAGE_UID --regid $IMAGE_GID --clear-groups \
    --no-new-privs --bounding-set=-all --inh-caps=-all env -C '$IMAGE_DIR' $1"
}

log=$(mktemp)
(inside "$START") >"$log" 2>&1 &
pid=$!

# A probe that takes 0.2 s and more, 150 times at most: about a minute.
tries=0
health=1
while [ "$tries" -lt 150 ] && kill -0 "$pid" 2>/dev/null; do
  tries=$((tries + 1))
  if (inside "$HEALTH") >/dev/null 2>&1; then health=0; break; fi
  sleep 0.2
done
echo "health=$health"

if kill -0 "$pid" 2>/dev/null; then
  awk '/^Uid:/ { print "uid=" $2 } /^CapEff:/ { print "capabilities=" $2 } /^NoNewPrivs:/ { print "noNewPrivileges=" $2 }' \
    "$ROOT/proc/$pid/status"
  for path in $PATHS; do
    status=$( (inside "node -e 'fetch(\"http://127.0.0.1:8788$path\").then((a) => console.log(a.status), (e) => console.log(e.message))'") )
    echo "get$path=$status"
  done
  for place in /app /etc/holdpoint /usr/local/bin /tmp /run; do
    if (inside "touch $place/planted") 2>/dev/null; then echo "wrote$place=yes"; else echo "wrote$place=no"; fi
  done
  if (inside "touch /data/planted") 2>/dev/null; then echo "wrote/data=yes"; else echo "wrote/data=no"; fi
  echo "data=$(ls "$ROOT/data" | tr '\n' ' ')"
  kill -TERM "$pid"
fi

code=0
wait "$pid" || code=$?
echo "exit=$code"
# What the process said, for whoever reads a failure; not in the form name=value.
sed 's/^/| /' "$log"
rm "$log"
