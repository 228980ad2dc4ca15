#!/bin/busybox sh
# shellcheck shell=dash
# What the Linux smoke image boots into, /init there: the acceptance on the console, then power off.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root
/bin/busybox --install -s /bin
export PATH=/bin:/usr/local/bin:/usr/local/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs -o mode=1777 tmpfs /tmp
hostname colibri-smoke
# Kernel messages would land within the lines of the acceptance; up to here they are on the console, and all of them in dmesg.
dmesg -n 1

echo '-----BEGIN acceptance-----'
# Emulated, on a machine that is busy, everything takes its time.
/usr/local/share/colibri/acceptance.sh --json - --deadline 120 --service-command /usr/local/sbin/colibri-service
echo "-----END acceptance: exit $?-----"
echo '-----BEGIN daemon.log-----'
cat /var/log/colibri/daemon.log
echo '-----END daemon.log-----'
sync
poweroff -f
