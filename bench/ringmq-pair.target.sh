# A master and its slave, of RingMQ from the checkout in $RINGMQ, as a target of the comparer: three processes.
# $ROLE is the master's brokerRole.
cat >namesrv.properties <<END
listenPort=$NAMESRV_PORT
bindAddress=127.0.0.1
kvConfigPath=$PWD/namesrv/kvConfig.json
END
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
bindAddress=127.0.0.1
listenPort=$port
haListenPort=$((port + 1))
namesrvAddr=127.0.0.1:$NAMESRV_PORT
storePathRootDir=$PWD/store-$id
storePathCommitLog=$PWD/store-$id/commitlog
flushDiskType=$FLUSH
threadingMode=${THREADING_MODE:-auto}
END
done
node "$RINGMQ/bin/mqnamesrv" -c namesrv.properties &
node "$RINGMQ/bin/mqbroker" -c broker-0.properties &
node "$RINGMQ/bin/mqbroker" -c broker-1.properties &
wait
