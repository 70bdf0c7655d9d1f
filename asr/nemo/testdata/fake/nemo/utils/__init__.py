class logging:
    ERROR = 40

    @staticmethod
    def setLevel(level):
        pass
