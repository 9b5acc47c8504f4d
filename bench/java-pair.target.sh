# A master and its slave, of Java RocketMQ 4.9.7, as a target of the comparer. $ROLE is the master's brokerRole.
export REFERENCE_STATE="$PWD/state" JAVA_HEAP="${JAVA_HEAP:-2g}"
"$REFERENCE/mqnamesrv" 4.9.7 -p "$NAMESRV_PORT" &
for id in 0 1; do
  port=$((PORT + id * 30))
  role=${ROLE:-SYNC_MASTER}
  [ $id = 0 ] || role=SLAVE
  cat >broker-$id.properties <<END
brokerName=bench
brokerId=$id
brokerRole=$role
brokerIP1=127.0.0.1
brokerIP2=127.0.0.1
listenPort=$port
haListenPort=$((port + 1))
storePathRootDir=$PWD/store-$id
storePathCommitLog=$PWD/store-$id/commitlog
autoCreateTopicEnable=true
flushDiskType=$FLUSH
END
  REFERENCE_STATE="$PWD/state-$id" "$REFERENCE/mqbroker" 4.9.7 -n "127.0.0.1:$NAMESRV_PORT" -c broker-$id.properties &
done
wait
