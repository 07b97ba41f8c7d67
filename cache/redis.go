package cache

import (
	"crypto/tls"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	redisDial = 500 * time.Millisecond
	redisIO   = 50 * time.Millisecond
	redisPool = 20 * time.Millisecond
)

var errRedisURL = errors.New("REDIS_URL: want redis[s]://[user:password@]host[:port][/db], redis[s]+sentinel://…@host,host/master[/db] or redis[s]+cluster://…@host,host")

// redisOptions reads where Redis is. Its errors never repeat the URL.
//
// By default go-redis waits seconds beyond a context's end and sends a command
// again whose answer was lost; neither is fit for a cache.
func redisOptions(secret commerce.Secret) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(string(secret), "://")
	if !ok {
		return nil, errRedisURL
	}
	base, topology, _ := strings.Cut(scheme, "+")
	hosts, rest := hostsOf(rest)
	u, err := url.Parse("redis://" + rest)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || len(hosts) == 0 || (base != "redis" && base != "rediss") {
		return nil, errRedisURL
	}
	opts := &redis.UniversalOptions{
		Addrs:                 hosts,
		Username:              u.User.Username(),
		ContextTimeoutEnabled: true,
		MaxRetries:            -1,
		DialTimeout:           redisDial,
		DialerRetries:         1,
		ReadTimeout:           redisIO,
		WriteTimeout:          redisIO,
		PoolTimeout:           redisPool,
		PipelinePoolSize:      -1,
		ClientName:            "portico",
		// With version 3 every reply of a pipeline is looked at for what was pushed before it; nothing
		// is: what others invalidate is read from a stream.
		Protocol: 2,
		// Two round trips less before the first command of a connection.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	opts.Password, _ = u.User.Password()
	if base == "rediss" {
		opts.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if topology == "" {
			opts.TLSConfig.ServerName = u.Hostname()
		}
	}
	return opts, place(opts, topology, strings.Trim(u.Path, "/"))
}

// hostsOf cuts the list of hosts out of user:password@host,host/path, leaving the
// first in place, and fills in the default port.
func hostsOf(rest string) (hosts []string, single string) {
	head, path, slash := strings.Cut(rest, "/")
	user := ""
	if i := strings.LastIndexByte(head, '@'); i >= 0 {
		user, head = head[:i+1], head[i+1:]
	}
	for host := range strings.SplitSeq(head, ",") {
		if host == "" {
			return nil, ""
		}
		if !strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") {
			host += ":6379"
		}
		hosts = append(hosts, host)
	}
	single = user + hosts[0]
	if slash {
		single += "/" + path
	}
	return hosts, single
}

// place sets what differs between a single server, Sentinel and Cluster.
func place(opts *redis.UniversalOptions, topology, path string) error {
	switch topology {
	case "":
		if len(opts.Addrs) != 1 {
			return errRedisURL
		}
		return database(opts, path)
	case "sentinel":
		master, db, _ := strings.Cut(path, "/")
		if master == "" {
			return errRedisURL
		}
		opts.MasterName = master
		return database(opts, db)
	case "cluster":
		if path != "" {
			return errRedisURL
		}
		opts.IsClusterMode = true
		return nil
	default:
		return errRedisURL
	}
}

func database(opts *redis.UniversalOptions, text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return errRedisURL
	}
	opts.DB = n
	return nil
}
