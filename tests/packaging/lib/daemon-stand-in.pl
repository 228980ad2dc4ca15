#!/usr/bin/perl
# In the place of FreeBSD's daemon(8): the options that the rc scripts use, and what those rely on. It writes down how it was called,
# keeps both pidfiles locked and without a newline, empties the child's when the child has ended (usr.sbin/daemon/daemon.c,
# pidfile_truncate), starts the command again when it has ended and its output is closed, opens the log anew at SIGHUP without telling the child, and at SIGTERM passes that on and ends without waiting, as the real one did for years.
use strict;
use warnings;
use Fcntl qw(:flock O_CREAT O_WRONLY O_APPEND O_RDWR);
use Getopt::Std;
use POSIX qw(setsid WNOHANG);

if (defined $ENV{STAND_IN_CALLS}) {
    open my $calls, '>>', $ENV{STAND_IN_CALLS} or die "calls: $!";
    print $calls join("\n", "daemon(8)", @ARGV, ''), "\n";
    close $calls;
}
my %option;
getopts('cfHSrp:P:u:o:t:R:T:', \%option) or exit 1;
exit 1 unless @ARGV;
if (defined $option{R} && $option{R} !~ /^[1-9][0-9]*$/) {
    print STDERR "daemon: invalid restart delay\n";
    exit 6;
}

sub open_log {
    # What goes to syslog(3) is lost here.
    sysopen my $handle, $option{S} ? '/dev/null' : $option{o}, O_CREAT | O_WRONLY | O_APPEND, 0600 or return undef;
    return $handle;
}

sub open_pidfile {
    my ($path) = @_;
    sysopen my $handle, $path, O_CREAT | O_RDWR, 0600 or do { print STDERR "daemon: pidfile ``$path'': $!\n"; exit 2 };
    flock $handle, LOCK_EX | LOCK_NB or do { print STDERR "daemon: process already running\n"; exit 3 };
    truncate $handle, 0;
    return $handle;
}

sub write_pid {
    my ($handle) = @_;
    truncate $handle, 0;
    sysseek $handle, 0, 0;
    syswrite $handle, $$;
}

my $log = open_log();
if (!defined $log) { print STDERR "daemon: open: $!\n"; exit 7 }
my $child_pidfile = open_pidfile($option{p});
my $own_pidfile = open_pidfile($option{P});
my $parent = fork;
exit 0 if $parent;
setsid();
open STDIN, '<', '/dev/null';
open STDOUT, '>', '/dev/null';
open STDERR, '>', '/dev/null';
write_pid($own_pidfile);

my ($child, $reopen, $terminate) = (0, 0, 0);
my $act = POSIX::SigSet->new;
POSIX::sigaction(POSIX::SIGHUP, POSIX::SigAction->new(sub { $reopen = 1 }, $act, 0)) if $option{H};
POSIX::sigaction(POSIX::SIGTERM, POSIX::SigAction->new(sub { $terminate = 1; kill 'TERM', $child if $child }, $act, 0));

sub leave {
    unlink $option{p}, $option{P};
    exit 1;
}

while (1) {
    pipe my $read, my $write or die;
    $child = fork;
    if ($child == 0) {
        write_pid($child_pidfile);
        # As after execve(2) in the real one: what was caught is back at its default.
        $SIG{HUP} = 'DEFAULT';
        $SIG{TERM} = 'DEFAULT';
        open STDOUT, '>&', $write;
        open STDERR, '>&', $write;
        exec { $ARGV[0] } @ARGV or do { print STDERR "daemon: $ARGV[0]: $!\n"; POSIX::_exit(1) };
    }
    close $write;
    $0 = "daemon: $option{t}" . "[$child]";
    while (1) {
        leave() if $terminate;
        if ($reopen) { $reopen = 0; close $log; $log = open_log() }
        my $bytes = sysread $read, my $buffer, 4096;
        next if !defined $bytes;
        last if $bytes == 0;
        syswrite $log, $buffer if defined $log;
    }
    while (waitpid($child, 0) != $child) { leave() if $terminate }
    $child = 0;
    leave() unless defined $option{R};
    truncate $child_pidfile, 0;
    my $until = time + $option{R};
    while (time < $until) { leave() if $terminate; select undef, undef, undef, 0.1 }
}
