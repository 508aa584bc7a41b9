"""The dialogue: what is sent, and what miniftpd has to answer.

A row holds the lines of one step, joined by " + ", and the notes that talk.py is to make of the
answers. Every step has a session of its own, in a home directory that is as talk.fresh_home() makes
it, so no step depends on another one.
"""

from collections import namedtuple

Step = namedtuple("Step", "user name lines wanted")

BEFORE_LOGIN = """
NOOP                                        200
SYST                                        215
FEAT                                        211
HELP                                        214
STAT                                        211
ABOR                                        226
QUIT                                        221
CLNT test                                   200
OPTS UTF8 ON                                200
OPTS UTF8 OFF                               504
OPTS MLST type;size;                        200
LANG                                        200
LANG en                                     200
HOST localhost                              502
AUTH TLS                                    502
PBSZ 0                                      502
PROT P                                      502
ACCT test                                   202
REIN                                        220
PWD                                         530
PASV                                        530
(no data) LIST                              530
SITE HELP                                   530
CSID Name=test; Version=1;                  530
FOO                                         500
USER                                        501
USER nosuchuser                             331
USER nosuchuser + PASS test                 331 530
USER alice + PASS wrong                     331 530
USER alice + PASS                           331 530
PASS secret-alice                           503
USER alice + NOOP + PASS secret-alice       331 200 230
USER bob + USER alice + PASS secret-alice   331 331 230
user alice + pass secret-alice              331 230
GET / HTTP/1.1 + (closed?)                  500 closed
POST / HTTP/1.1 + (closed?)                 500 closed
HEAD / HTTP/1.1 + (closed?)                 500 closed
PUT / HTTP/1.1 + (closed?)                  500 closed
OPTIONS / HTTP/1.1 + (closed?)              500 closed
CONNECT localhost:80 HTTP/1.1 + (closed?)   500 closed
EHLO localhost + (closed?)                  500 closed
"""

SESSION = """
USER alice                                  331
USER alice + PASS secret-alice              331 230
USER bob                                    530
PASS secret-alice                           230
ACCT test                                   202
REIN                                        502
SMNT /                                      502
QUIT                                        221
NOOP                                        200
NOOP test                                   200
noop                                        200
NOP                                         200
SYST                                        215
FEAT                                        211
FEAT test                                   211
HELP                                        214
HELP RETR                                   214
HELP FOO                                    502
HELP SITE                                   214
STAT                                        211
CLNT test                                   200
CLNT                                        200
CSID Name=test; Version=1;                  200
HOST localhost                              502
LANG                                        200
LANG en                                     200
LANG en-US                                  200
LANG fr                                     504
OPTS                                        501
OPTS FOO                                    501
OPTS UTF8 ON                                200
OPTS UTF8 OFF                               504
OPTS UTF8                                   200
OPTS MLST                                   200
OPTS MLST type;size;                        200
OPTS MLST foo;                              200
OPTS HASH                                   200
OPTS HASH SHA-1                             200
OPTS HASH FOO                               501
OPTS MODE Z LEVEL 6                         501
OPTS MODE Z LEVEL 99                        501
OPTS REST STOR                              200
AUTH TLS                                    502
PBSZ 0                                      502
PROT P                                      502
CCC                                         502
ADAT test                                   502
MIC test                                    502
CONF test                                   502
ENC test                                    502
FOO                                         500
GET / HTTP/1.1 + (closed?)                  500 closed
"""

NAVIGATION = """
PWD                                         257
PWD test                                    257
XPWD                                        257
CWD sub                                     250
CWD sub/                                    250
CWD //                                      250
CWD ..                                      250
CWD ~                                       250
CWD                                         250
CWD missing                                 550
CWD hello.txt                               550
CWD closed                                  550
CWD name with blanks                        550
CWD dangling                                550
XCWD sub                                    250
CDUP                                        250
XCUP                                        250
CWD / + CDUP                                250 250
"""

FILES = """
MKD new                                     257
MKD sub                                     550
MKD hello.txt                               550
MKD new/deep                                550
MKD closed/new                              550
MKD                                         501
XMKD new                                    257
RMD empty                                   250
RMD sub                                     550
RMD hello.txt                               550
RMD missing                                 550
RMD /                                       550
RMD                                         501
XRMD empty                                  250
DELE hello.txt                              250
DELE link                                   250
DELE empty                                  550
DELE missing                                550
DELE *.txt                                  550
DELE                                        501
RNFR hello.txt + RNTO new.txt               350 250
RNFR hello.txt + RNTO other.txt             350 250
RNFR hello.txt + RNTO missing/new.txt       350 550
RNFR hello.txt + RNTO sub                   350 550
RNFR sub + RNTO new                         350 250
RNFR missing                                550
RNFR                                        501
RNTO new.txt                                503
RNFR hello.txt + RNTO                       350 501
RNFR hello.txt + NOOP + RNTO new.txt        350 200 250
SIZE hello.txt                              213 [18]
SIZE name with blanks                       213 [7]
SIZE link                                   213 [18]
SIZE sub                                    550
SIZE missing                                550
SIZE secret.txt                             213 [7]
SIZE *.txt                                  550
SIZE                                        501
TYPE A + SIZE hello.txt                     200 213 [18]
MDTM hello.txt                              213 [20240131123456]
MDTM sub                                    550
MDTM missing                                550
MDTM                                        501
MDTM 20230102030405 hello.txt + MDTM hello.txt     213 213 [20230102030405]
MDTM 20240231123456 hello.txt + MDTM hello.txt     550 213 [20240131123456]
MDTM 20240131123456 missing                 550
MFMT 20230102030405 hello.txt + MDTM hello.txt     213 213 [20230102030405]
MFMT 20240231123456 hello.txt + MDTM hello.txt     501 213 [20240131123456]
MFMT 20240131123456 sub                     213
MFMT tomorrow hello.txt                     501
MFMT 20240131123456 missing                 550
MFMT 20240131123456                         501
MFF modify=20230102030405; hello.txt + MDTM hello.txt     213 213 [20230102030405]
MFF UNIX.mode=0600; hello.txt               213
MFF foo=1; hello.txt                        504
MFF modify=20240131123456; missing          550
MFCT 20240131123456 hello.txt               502
AVBL                                        213
AVBL missing                                550
CHMOD 600 hello.txt                         200
"""

PARAMETERS = """
TYPE I                                      200
TYPE A                                      200
type i                                      200
TYPE A N                                    200
TYPE AN                                     200
TYPE I N                                    200
TYPE L 8                                    200
TYPE L8                                     200
TYPE L 7                                    504
TYPE E                                      504
TYPE A T                                    504
TYPE A C                                    504
TYPE X                                      501
TYPE                                        501
MODE S                                      200
MODE B                                      504
MODE C                                      504
MODE Z                                      504
MODE X                                      501
MODE                                        501
STRU F                                      200
STRU R                                      504
STRU P                                      504
STRU X                                      501
STRU                                        501
ALLO 10                                     202
ALLO 10 R 5                                 202
ALLO                                        501
ALLO test                                   504
REST 5                                      350
REST 0                                      350
REST 99999999999                            350
REST test                                   501
REST -1                                     501
REST                                        501
RANG 0 3                                    350
RANG 1 0                                    350
RANG 5 2                                    551
RANG test                                   501
RANG                                        501
PRET RETR hello.txt                         200
PRET RETR missing                           550
PRET LIST                                   200
PRET FOO                                    501
PRET                                        501
"""

CONNECTIONS = """
PASV                                        227
PASV + PASV                                 227 227
PASV test                                   227
P@SW                                        227
EPSV                                        229
EPSV 1                                      229
EPSV 2                                      522
EPSV 3                                      522
EPSV test                                   501
EPSV ALL                                    200
EPSV ALL + EPSV                             200 229
EPSV ALL + PASV                             200 501
EPSV ALL + PORT 127,0,0,1,200,10            200 501
EPSV ALL + EPRT |1|127.0.0.1|51210|         200 501
PORT 127,0,0,1,200,10                       200
PORT 127,0,0,2,200,10                       500
PORT 127,0,0,1,0,25                         500
PORT 127,0,0,1,200                          501
PORT 127,0,0,1,200,300                      501
PORT test                                   501
PORT                                        501
EPRT |1|127.0.0.1|51210|                    200
EPRT |1|127.0.0.2|51210|                    500
EPRT |1|127.0.0.1|25|                       500
EPRT |2|::1|51210|                          522
EPRT |3|127.0.0.1|51210|                    522
EPRT |1|127.0.0.1|test|                     501
EPRT test                                   501
EPRT                                        501
LPRT 4,4,127,0,0,1,2,200,10                 502
LPSV                                        502
SPSV                                        502
CPSV                                        502
SSCN                                        502
ESTA                                        502
ESTP                                        502
(no data) RETR hello.txt                    425
(no data) STOR new.txt                      425
(no data) LIST                              425
(no data) NLST                              425
(no data) MLSD                              425
"""

TRANSFERS = """
RETR hello.txt                              150 226 [18]
(EPSV) RETR hello.txt                       150 226 [18]
(PORT) RETR hello.txt                       150 226 [18]
(EPRT) RETR hello.txt                       150 226 [18]
RETR name with blanks                       150 226 [7]
RETR [1].txt                                150 226 [9]
RETR link                                   150 226 [18]
RETR missing                                550
RETR sub                                    550
RETR secret.txt                             550
RETR dangling                               550
RETR *.txt                                  550
RETR                                        501
TYPE A + RETR hello.txt                     200 150 226 [18]
TYPE A + RETR crlf.txt                      200 150 226 [20]
REST 5 + RETR hello.txt                     350 150 226 [13]
REST 18 + RETR hello.txt                    350 150 226 [0]
REST 19 + RETR hello.txt                    350 554
REST 5 + RETR missing + RETR hello.txt      350 550 150 226 [18]
REST 5 + LIST + RETR hello.txt              350 150 226 [14] 150 226 [18]
REST 5 + NOOP + RETR hello.txt              350 200 150 226 [13]
TYPE A + REST 5 + RETR hello.txt            200 350 150 226 [13]
RANG 0 3 + RETR hello.txt                   350 150 226 [4]
RANG 0 99 + RETR hello.txt                  350 150 226 [18]
RANG 99 100 + RETR hello.txt                350 554
RANG 0 3 + STOR new.txt                     350 551
STOR new.txt + SIZE new.txt                 150 226 213 [16]
(PORT) STOR new.txt                         150 226
STOR hello.txt + SIZE hello.txt             150 226 213 [16]
STOR missing/new.txt                        553
STOR closed/new.txt                         553
STOR sub                                    553
STOR secret.txt                             553
STOR                                        501
TYPE A + STOR new.txt + SIZE new.txt        200 150 226 213 [16]
REST 5 + STOR hello.txt + SIZE hello.txt    350 150 226 213 [21]
REST 18 + STOR hello.txt + SIZE hello.txt   350 150 226 213 [34]
REST 19 + STOR hello.txt                    350 554
APPE hello.txt + SIZE hello.txt             150 226 213 [34]
APPE new.txt + SIZE new.txt                 150 226 213 [16]
APPE missing/new.txt                        553
APPE                                        501
STOU                                        150 226
STOU new                                    150 226
STOU hello.txt + SIZE hello.txt             150 226 213 [18]
REST 5 + STOU                               350 501
ABOR                                        226
PASV + ABOR                                 227 226
RETR big + (meanwhile) ABOR                 150 426 226
RETR big + (meanwhile) NOOP                 150 200 226
RETR big + (meanwhile) STAT                 150 211 226
RETR big + (meanwhile) PWD                  150 226 257
RETR big + (meanwhile) QUIT                 150 226 221
STOR new.txt + (meanwhile) ABOR             150 426 226
MODE Z + LIST                               504 150 226 [14]
MODE Z + RETR hello.txt                     504 150 226 [18]
COMB new.txt part1 part2 + SIZE new.txt     250 213 [18]
COMB new.txt missing                        550
COMB                                        501
HASH hello.txt                              213
HASH sub                                    553
HASH missing                                550
HASH                                        501
XCRC hello.txt                              250
XMD5 hello.txt                              250
XSHA hello.txt                              250
XSHA1 hello.txt                             250
XSHA256 hello.txt                           250
XSHA512 hello.txt                           250
XMD5 "name with blanks"                     250
XMD5 hello.txt 5                            250
XMD5 hello.txt 5 9                          250
XMD5 hello.txt 9 5                          501
XMD5 sub                                    553
XMD5 missing                                550
XMD5                                        501
MD5 hello.txt                               251
MMD5 hello.txt, other.txt                   502
"""

LISTINGS = """
LIST                                        150 226 [14]
(EPSV) LIST                                 150 226 [14]
(PORT) LIST                                 150 226 [14]
LIST -a                                     150 226 [17]
LIST -A                                     150 226 [15]
LIST -l                                     150 226 [14]
LIST -la                                    150 226 [17]
LIST -al                                    150 226 [17]
LIST -l -a                                  150 226 [17]
LIST -la sub                                150 226 [5]
LIST -d                                     150 226 [1]
LIST -R                                     150 226 [14]
LIST -1                                     150 226 [14]
LIST -Z                                     150 226 [14]
LIST -- sub                                 150 226 [3]
LIST sub                                    150 226 [3]
LIST sub/                                   150 226 [3]
LIST empty                                  150 226 [0]
LIST closed                                 550
LIST missing                                550
LIST -a missing                             550
LIST hello.txt                              150 226 [1]
LIST name with blanks                       150 226 [1]
LIST -l name with blanks                    150 226 [1]
LIST link                                   150 226 [1]
LIST dangling                               150 226 [1]
LIST [1].txt                                150 226 [1]
LIST *.txt                                  150 226 [5]
LIST *.none                                 150 226 [0]
LIST sub/*                                  150 226 [3]
LIST {hello,other}.txt                      150 226 [2]
LIST ~                                      150 226 [14]
NLST                                        150 226 [14]
NLST -a                                     150 226 [15]
NLST -l                                     150 226 [14]
NLST -la                                    150 226 [17]
NLST sub                                    150 226 [3]
NLST empty                                  150 226 [0]
NLST closed                                 550
NLST missing                                550
NLST hello.txt                              150 226 [1]
NLST name with blanks                       150 226 [1]
NLST *.txt                                  150 226 [5]
NLST *.none                                 150 226 [0]
MLSD                                        150 226 [17]
MLSD sub                                    150 226 [5]
MLSD empty                                  150 226 [2]
MLSD closed                                 550
MLSD hello.txt                              501
MLSD missing                                550
MLSD -a                                     550
MLSD *.txt                                  550
MLST                                        250
MLST sub                                    250
MLST hello.txt                              250
MLST name with blanks                       250
MLST dangling                               250
MLST missing                                550
MLST -a                                     550
STAT sub                                    213
STAT -l                                     213
STAT -la sub                                213
STAT hello.txt                              213
STAT missing                                450
STAT *.txt                                  213
STAT empty                                  213
"""

SITE = """
SITE                                        501
SITE FOO                                    500
SITE HELP                                   214
SITE CHMOD 600 hello.txt                    200
SITE CHMOD 0755 sub                         200
SITE CHMOD 4755 hello.txt                   501
SITE CHMOD 888 hello.txt                    501
SITE CHMOD u+x hello.txt                    501
SITE CHMOD u+x hello.txt + RETR hello.txt   501 150 226 [18]
SITE CHMOD 888 hello.txt + RETR hello.txt   501 150 226 [18]
SITE CHMOD 600 missing                      550
SITE CHMOD 600                              501
SITE CHMOD                                  501
SITE UMASK                                  200
SITE UMASK 027                              200
SITE UMASK 999                              501
SITE IDLE                                   200
SITE IDLE 60                                200
SITE IDLE 999999                            501
SITE CHGRP team1 hello.txt                  200
SITE CHGRP nosuchgroup hello.txt            501
SITE CHGRP root hello.txt                   550
SITE UTIME 202301020304 hello.txt + MDTM hello.txt       200 213 [20230102030400]
SITE UTIME 20230102030405 hello.txt + MDTM hello.txt     200 213 [20230102030405]
SITE UTIME hello.txt 20230102030405 20230102030405 20230102030405 UTC    200
SITE UTIME 202402311234 hello.txt + MDTM hello.txt       501 213 [20240131123456]
SITE UTIME 202401311234 missing             550
SITE SYMLINK hello.txt newlink              200
SITE SYMLINK hello.txt other.txt            553
SITE SYMLINK hello.txt                      501
SITE MKDIR new                              200
SITE MKDIR new/deep                         200
SITE MKDIR sub                              550
SITE RMDIR empty                            200
SITE RMDIR sub                              200
SITE RMDIR missing                          550
SITE RMDIR /                                550
SITE CPFR hello.txt + SITE CPTO new.txt     350 250
SITE COPY hello.txt new.txt                 200
SITE QUOTA                                  500
SITE RATIO                                  500
SITE TIME                                   500
SITE ALIAS                                  500
SITE WHO                                    500
SITE MD5 hello.txt                          500
SITE EXEC ls                                500
"""

RARE = """
DSIZ sub                                    502
RMDA sub                                    502
THMB JPEG 10 10 hello.txt                   502
XRCP hello.txt                              502
XSEM alice                                  502
XSEN alice                                  502
XRSQ                                        502
MAIL alice                                  502
MSND alice                                  502
MLFL alice                                  502
"""

ANONYMOUS = """
PWD                                         257
LIST                                        150 226 [1]
NLST pub                                    150 226 [7]
CWD pub                                     250
CWD ..                                      250
CWD ~                                       250
CWD /home                                   550
RETR pub/readme.txt                         150 226 [14]
RETR pub/secret.txt                         550
RETR pub/outside                            550
REST 7 + RETR pub/readme.txt                350 150 226 [7]
SIZE pub/readme.txt                         213 [14]
MDTM pub/readme.txt                         213 [20240131123456]
MLST pub/readme.txt                         250
MLSD pub                                    150 226 [9]
HASH pub/readme.txt                         213
XMD5 pub/readme.txt                         250
AVBL                                        213
STOR new.txt                                550
APPE new.txt                                550
STOU                                        550
MKD new                                     550
RMD pub/empty                               550
DELE pub/readme.txt                         550
RNFR pub/readme.txt                         550
MFMT 20240131123456 pub/readme.txt          550
MDTM 20240131123456 pub/readme.txt          550
MFF modify=20240131123456; pub/readme.txt   550
COMB pub/new.txt pub/readme.txt             550
ALLO 10                                     202
SITE                                        501
SITE HELP                                   214
SITE CHMOD 600 pub/readme.txt               550
SITE UMASK                                  550
SITE UMASK 027                              550
SITE IDLE                                   200
SITE MKDIR new                              550
SITE SYMLINK pub/readme.txt new             550
USER anonymous                              331
USER alice                                  530
"""

HABITS = """
OPTS UTF8 ON + PWD                          200 257
MKD new + MKD new/deep + MKD new            257 257 550
CWD sub//deep                               250
CWD sub + CWD ../sub                        250 250
MKD sub//new                                257
STOR sub//new.txt                           150 226
STOR ./new.txt                              150 226
retr hello.txt                              150 226 [18]
stor new.txt                                150 226
RETR sub + CWD sub                          550 250
SIZE sub + CWD sub                          550 250
NLST hello.txt + RETR hello.txt             150 226 [1] 150 226 [18]
STOR new.txt + DELE new.txt                 150 226 250
STOR new.part + RNFR new.part + RNTO new    150 226 350 250
REST 0 + STOR new.txt                       350 150 226
REST 0 + RETR hello.txt                     350 150 226 [18]
REST 18 + APPE hello.txt + SIZE hello.txt   350 150 226 213 [34]
ALLO 16 + STOR new.txt                      202 150 226
TYPE A N + LIST                             200 150 226 [14]
TYPE A N + STOR new.txt                     200 150 226
PASV + LPRT 4,4,127,0,0,1,2,200,10          227 502
EPRT test + (PORT) LIST                     501 150 226 [14]
EPSV 2 + LIST                               522 150 226 [14]
RETR hello.txt + RETR other.txt             150 226 [18] 150 226 [6]
RETR missing + RETR hello.txt               550 150 226 [18]
"""

# Lines that cannot stand in the tables: name, user, lines, what is wanted.
BYTES = [
    ("USER, PASS, MKD, QUIT in one packet", None,
     (b"USER alice\r\nPASS secret-alice\r\nMKD new\r\nQUIT\r\n",), "331 230 257"),
    ("an empty line, then NOOP", "alice", (b"\r\nNOOP\r\n",), "200"),
    ("NOOP, ended by LF alone", "alice", (b"NOOP\n",), "200"),
    ("NOOP behind a blank", "alice", (b" NOOP\r\n",), "500"),
    ("CWD with a blank and no name", "alice", (b"CWD \r\n",), "250"),
    ("three commands in one packet", "alice", (b"NOOP\r\nPWD\r\nSYST\r\n",), "200 257 215"),
    ("Telnet IP and DM, then ABOR", "alice", (b"\xff\xf4\xff\xf2ABOR\r\n",), "226"),
    ("Telnet WILL, then NOOP", "alice", (b"\xff\xfb\x01NOOP\r\n",), "200"),
    ("a line of 10000 bytes", "alice", (b"NOOP " + b"x" * 10000 + b"\r\n",), "500"),
    ("MKD with a doubled Telnet IAC", "alice", (b"MKD a\xff\xffb\r\n",), "257"),
    ("MKD with bytes that are not UTF-8", "alice", (b"MKD \xe4\xf6\r\n",), "257"),
    ("MKD with a control character", "alice", (b"MKD a\x01b\r\n",), "553"),
    ("MKD with a quote", "alice", (b'MKD a"b\r\n',), "257"),
]

SECTIONS = [
    ("Before login", None, BEFORE_LOGIN),
    ("The session", "alice", SESSION),
    ("Directories", "alice", NAVIGATION),
    ("Files", "alice", FILES),
    ("Parameters", "alice", PARAMETERS),
    ("Data connections", "alice", CONNECTIONS),
    ("Transfers and checksums", "alice", TRANSFERS),
    ("Listings", "alice", LISTINGS),
    ("SITE", "alice", SITE),
    ("Rare commands", "alice", RARE),
    ("Habits of clients and devices", "alice", HABITS),
    ("Anonymous", "anonymous", ANONYMOUS),
]


def all_steps():
    """Every step, in order. Where it is not alice who speaks, the name says so."""
    steps = []
    for section, user, table in SECTIONS:
        prefix = "" if user == "alice" else f"{section.lower()}: "
        for row in table.strip().splitlines():
            text, _, wanted = row.rpartition("  ")
            lines = tuple(text.strip().split(" + "))
            steps.append(Step(user, prefix + text.strip(), lines, wanted))
    steps += [Step(user, name, lines, wanted) for name, user, lines, wanted in BYTES]
    return steps
