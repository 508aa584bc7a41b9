"""Steps in which miniftpd answers otherwise than all its peers, or than most of them, by reason.

doc/compatibility.md tells the reasons, each below a heading with its name.
"""

EXPLAINED = {
    "Commands before login": """
        before login: STAT
        before login: ABOR
        before login: CLNT test
        before login: LANG
        before login: LANG en
        before login: REIN
        before login: FOO
    """,
    "More commands than most": """
        NOP
        CLNT test
        CLNT
        CSID Name=test; Version=1;
        LANG
        LANG en
        LANG en-US
        LANG fr
        OPTS UTF8
        OPTS REST STOR
        MDTM 20230102030405 hello.txt + MDTM hello.txt
        MFF modify=20230102030405; hello.txt + MDTM hello.txt
        MFF UNIX.mode=0600; hello.txt
        MFF foo=1; hello.txt
        MFF modify=20240131123456; missing
        AVBL
        AVBL missing
        CHMOD 600 hello.txt
        RANG 0 3
        RANG 1 0
        PRET RETR hello.txt
        PRET RETR missing
        PRET LIST
        RANG 0 3 + RETR hello.txt
        RANG 0 99 + RETR hello.txt
        RANG 99 100 + RETR hello.txt
        COMB new.txt part1 part2 + SIZE new.txt
        COMB new.txt missing
        COMB
        HASH hello.txt
        HASH sub
        HASH missing
        HASH
        XCRC hello.txt
        XMD5 hello.txt
        XSHA hello.txt
        XSHA1 hello.txt
        XSHA256 hello.txt
        XSHA512 hello.txt
        XMD5 "name with blanks"
        XMD5 hello.txt 5 9
        XMD5 hello.txt 9 5
        XMD5 missing
        XMD5
        MD5 hello.txt
        SITE UMASK
        SITE UMASK 027
        SITE IDLE
        SITE IDLE 60
        SITE IDLE 999999
        SITE CHGRP team1 hello.txt
        SITE CHGRP root hello.txt
        SITE SYMLINK hello.txt newlink
        SITE MKDIR new
        SITE MKDIR new/deep
        SITE RMDIR empty
        SITE RMDIR sub
        SITE RMDIR missing
        SITE RMDIR /
        SITE CPFR hello.txt + SITE CPTO new.txt
        SITE COPY hello.txt new.txt
        anonymous: HASH pub/readme.txt
        anonymous: XMD5 pub/readme.txt
        anonymous: AVBL
        anonymous: MFF modify=20240131123456; pub/readme.txt
        anonymous: COMB pub/new.txt pub/readme.txt
        anonymous: SITE UMASK
        anonymous: SITE UMASK 027
        anonymous: SITE IDLE
    """,
    "Known, but not implemented": """
        before login: HOST localhost
        before login: AUTH TLS
        before login: PBSZ 0
        before login: PROT P
        HOST localhost
        AUTH TLS
        PBSZ 0
        PROT P
        CCC
        ADAT test
        MIC test
        CONF test
        ENC test
        MFCT 20240131123456 hello.txt
        LPRT 4,4,127,0,0,1,2,200,10
        LPSV
        SPSV
        CPSV
        SSCN
        ESTA
        ESTP
        MMD5 hello.txt, other.txt
        DSIZ sub
        RMDA sub
        THMB JPEG 10 10 hello.txt
        XRCP hello.txt
        XSEM alice
        XSEN alice
        XRSQ
        MAIL alice
        MSND alice
        MLFL alice
        PASV + LPRT 4,4,127,0,0,1,2,200,10
    """,
    "Superfluous commands": """
        ACCT test
        ALLO 10
        ALLO 10 R 5
        ALLO 16 + STOR new.txt
    """,
    "Missing and wrong arguments": """
        before login: USER
        HELP FOO
        RMD
        RNFR
        RNFR hello.txt + RNTO
        TYPE
        TYPE X
        MODE X
        STRU X
        RANG 5 2
        RANG test
        RANG
        PRET FOO
        PRET
        XMD5 hello.txt 5
        SITE
        SITE CHMOD
        SITE CHMOD 600
        SITE UMASK 999
        SITE CHGRP nosuchgroup hello.txt
        SITE SYMLINK hello.txt
        anonymous: SITE
    """,
    "Types that do not exist here": """
        TYPE L 7
        TYPE A T
        TYPE A C
    """,
    "Dates that do not exist": """
        MFMT 20240231123456 hello.txt + MDTM hello.txt
        SITE UTIME 202402311234 hello.txt + MDTM hello.txt
    """,
    "Modes of SITE CHMOD": """
        SITE CHMOD 4755 hello.txt
        SITE CHMOD 888 hello.txt
        SITE CHMOD u+x hello.txt
        SITE CHMOD u+x hello.txt + RETR hello.txt
        SITE CHMOD 888 hello.txt + RETR hello.txt
    """,
    "Directories and existing names": """
        MLSD hello.txt
        XMD5 sub
        SITE SYMLINK hello.txt other.txt
        SITE MKDIR sub
    """,
    "Listings of what cannot be listed": """
        LIST closed
        LIST missing
        LIST -a missing
        STAT missing
    """,
    "Options and patterns of listings": """
        LIST -A
        LIST {hello,other}.txt
        NLST -a
    """,
    "EPSV ALL": """
        EPSV ALL + PASV
        EPSV ALL + PORT 127,0,0,1,200,10
        EPSV ALL + EPRT |1|127.0.0.1|51210|
    """,
    "ASCII conversion": """
        TYPE A + RETR hello.txt
        TYPE A + REST 5 + RETR hello.txt
    """,
    "Restart marks": """
        REST 5 + LIST + RETR hello.txt
        REST 19 + STOR hello.txt
        REST 5 + STOU
        RANG 0 3 + STOR new.txt
    """,
    "Commands during a transfer": """
        RETR big + (meanwhile) NOOP
        RETR big + (meanwhile) STAT
    """,
    "USER after login": """
        anonymous: USER anonymous
    """,
    "Other protocols": """
        before login: EHLO localhost + (closed?)
    """,
    "Odd command lines": """
        Telnet WILL, then NOOP
        a line of 10000 bytes
        MKD with a control character
    """,
}
