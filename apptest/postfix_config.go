package apptest

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// writeConfiguration makes the folders, each owned by whom Postfix wants, and
// the two configuration files.
func (p *PostfixServer) writeConfiguration(cert certificate, users []string) error {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	postfix, err := user.Lookup("postfix")
	if err != nil {
		return err
	}
	owners := []struct {
		dir   string
		owner string
	}{{"etc", "0"}, {"queue", "0"}, {"data", postfix.Uid}, {"mail", nobody.Uid}}
	for _, o := range owners {
		dir := filepath.Join(p.dir, o.dir)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		uid, err := strconv.Atoi(o.owner)
		if err != nil {
			return err
		}
		if err := os.Chown(dir, uid, -1); err != nil {
			return err
		}
	}
	main := p.mainConfiguration(cert, users, nobody)
	if err := os.WriteFile(filepath.Join(p.dir, "etc", "main.cf"), []byte(main), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.dir, "etc", "master.cf"), []byte(p.masterConfiguration()), 0o644)
}

func (p *PostfixServer) mainConfiguration(cert certificate, users []string, owner *user.User) string {
	var mailboxes strings.Builder
	for _, u := range users {
		fmt.Fprintf(&mailboxes, " { %s@%s = %s/ }", u, PostfixDomain, u)
	}
	return fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
meta_directory = /etc/postfix
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = %[2]s
virtual_mailbox_maps = inline:{%[3]s }
virtual_mailbox_base = %[1]s/mail
virtual_uid_maps = static:%[4]s
virtual_gid_maps = static:%[5]s
smtpd_tls_security_level = may
smtpd_tls_cert_file = %[6]s
smtpd_tls_key_file = %[7]s
smtpd_tls_received_header = yes
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unlisted_recipient, check_policy_service inet:%[8]s
smtpd_error_sleep_time = 0
smtpd_client_connection_rate_limit = 0
notify_classes =
in_flow_delay = 0
`, p.dir, PostfixDomain, mailboxes.String(), owner.Uid, owner.Gid, cert.CertFile, cert.KeyFile, p.greylist.listener.Addr())
}

// masterConfiguration lists the parts that taking mail by SMTP and delivering
// it into Maildirs needs, none of them in a chroot.
func (p *PostfixServer) masterConfiguration() string {
	return fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
tlsmgr   unix - - n 1000? 1 tlsmgr
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
smtp     unix - - n - - smtp
virtual  unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil    unix - - n - 1 anvil
postlog  unix-dgram n - n - 1 postlogd
`, p.Port)
}
