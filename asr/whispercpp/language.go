package whispercpp

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ggml"
)

// modelLanguage decides the language for a model. Asked for German, a model
// that knows only English transcribes as if nothing were wrong.
func modelLanguage(m ggml.Model, language string) (string, error) {
	switch {
	case language != "" && !knownLanguage(language):
		return "", fmt.Errorf("language %q is not one that Whisper knows; use a code such as en or de", language)
	case m.Multilingual && language == "":
		return "auto", nil
	case m.Multilingual:
		return language, nil
	case language == "" || language == "en" || language == "auto":
		return "en", nil
	}
	return "", fmt.Errorf("the model knows English only, not %q; use a model without .en in its name", language)
}

func knownLanguage(code string) bool {
	return code == "auto" || isWord(code) && strings.Contains(languages, ","+code+"=")
}

// languageCode gives the code of a language that whisper-server names in full,
// or "".
func languageCode(name string) string {
	if !isWord(name) {
		return ""
	}
	before, _, found := strings.Cut(languages, "="+name+",")
	if !found {
		return ""
	}
	return before[strings.LastIndexByte(before, ',')+1:]
}

func isWord(s string) bool { return s != "" && !strings.ContainsAny(s, ",=") }

// languages are Whisper's, in the order of its tokens (whisper.cpp, g_lang).
const languages = "," +
	"en=english,zh=chinese,de=german,es=spanish,ru=russian,ko=korean,fr=french,ja=japanese,pt=portuguese," +
	"tr=turkish,pl=polish,ca=catalan,nl=dutch,ar=arabic,sv=swedish,it=italian,id=indonesian,hi=hindi,fi=finnish," +
	"vi=vietnamese,he=hebrew,uk=ukrainian,el=greek,ms=malay,cs=czech,ro=romanian,da=danish,hu=hungarian,ta=tamil," +
	"no=norwegian,th=thai,ur=urdu,hr=croatian,bg=bulgarian,lt=lithuanian,la=latin,mi=maori,ml=malayalam,cy=welsh," +
	"sk=slovak,te=telugu,fa=persian,lv=latvian,bn=bengali,sr=serbian,az=azerbaijani,sl=slovenian,kn=kannada," +
	"et=estonian,mk=macedonian,br=breton,eu=basque,is=icelandic,hy=armenian,ne=nepali,mn=mongolian,bs=bosnian," +
	"kk=kazakh,sq=albanian,sw=swahili,gl=galician,mr=marathi,pa=punjabi,si=sinhala,km=khmer,sn=shona,yo=yoruba," +
	"so=somali,af=afrikaans,oc=occitan,ka=georgian,be=belarusian,tg=tajik,sd=sindhi,gu=gujarati,am=amharic," +
	"yi=yiddish,lo=lao,uz=uzbek,fo=faroese,ht=haitian creole,ps=pashto,tk=turkmen,nn=nynorsk,mt=maltese," +
	"sa=sanskrit,lb=luxembourgish,my=myanmar,bo=tibetan,tl=tagalog,mg=malagasy,as=assamese,tt=tatar,haw=hawaiian," +
	"ln=lingala,ha=hausa,ba=bashkir,jw=javanese,su=sundanese,yue=cantonese,"
